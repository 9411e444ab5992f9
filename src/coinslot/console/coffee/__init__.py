"""Coffee: what became of each cup? Which machines can be heard, what do they sell, and what is done
where nobody knows? Each question has a page of its own."""
