"""What is asked, how it is measured and what it will cost, fixed before anything is trained."""
