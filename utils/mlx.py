"""MLX computes one thing at a time: engines that share it take turns."""

import threading

MLX_LOCK = threading.Lock()
