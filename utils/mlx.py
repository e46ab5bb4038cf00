"""MLX's lock: MLX runs one computation at a time, so engines that share it take turns."""

import threading

MLX_LOCK = threading.Lock()
