SELECT tries FROM pin WHERE role = ?1
