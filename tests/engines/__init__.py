<<<<<<< HEAD
"""Tests of engines that need packages of their own, with tiny models."""
=======
"""Tests of the engines that need more than requirements.txt and torch."""
>>>>>>> 7c1f21c4adfb8a9a8e4f2b642b08c11a4b542849
