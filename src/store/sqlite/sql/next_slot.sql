SELECT coalesce(max(slot) + 1, 0) FROM object
