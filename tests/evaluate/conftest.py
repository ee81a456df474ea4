"""Puts this folder on the path: `datasets_of_texts` serves the tests in the folders below too."""
