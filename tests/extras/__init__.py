"""Engines that come with packages of their own, over tiny models with random weights."""
