SELECT room, state_root FROM head WHERE one = 1
