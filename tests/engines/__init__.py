"""Tests of engines that need packages of their own, with tiny models."""
