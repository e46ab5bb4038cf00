"""The interaction panel: how the program takes turns, judged from outside."""
