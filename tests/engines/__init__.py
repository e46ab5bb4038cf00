"""Tests of the engines that need more than requirements.txt and torch."""
