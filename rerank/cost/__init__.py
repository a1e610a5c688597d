"""What an option costs: prices, training, teachers, judging, serving."""
