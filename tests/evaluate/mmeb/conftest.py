"""Puts this folder on the path: `scoring_cases` serves the tests here and those of the commands."""
