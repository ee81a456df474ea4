"""Rows made by a fleet of workers on a Ray cluster, a shard at a time; the same rows as one process makes."""
