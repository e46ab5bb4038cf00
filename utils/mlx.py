"""MLX_LOCK: on Apple machines engines that share MLX take turns."""

import threading

MLX_LOCK = threading.Lock()
