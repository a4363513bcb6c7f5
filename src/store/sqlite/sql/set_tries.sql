UPDATE pin SET tries = ?2 WHERE role = ?1
