"""A local web page to play with runs: samples, walks, directions, reconstructions, and a game against the critic."""
