"""MMEB-V2: its 78 tasks as data, its files on disk, its scores to the last digit, its leaderboard's file."""
