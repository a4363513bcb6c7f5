SELECT leaf FROM pending_leaf ORDER BY number
