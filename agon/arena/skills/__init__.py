"""Skill over a training: its snapshots against each other, afterwards and live."""
