"""Ratings of generators and critics from the matrix of their meetings, and panels of two experiments' seeds."""
