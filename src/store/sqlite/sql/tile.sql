SELECT nodes FROM state WHERE place = ?1
