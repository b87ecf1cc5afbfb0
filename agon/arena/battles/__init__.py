"""Battles of two runs, and of all seeds of two experiments."""
