"""A soak: many users at work and accidents, all drawn from a seed; at the end the books must balance.

plan       what is to happen, from the seed, before anything does; pure
papers     the documents of a plan as bytes, and the text that each must have in the end
stage      the processes, one machine's or many's, and how each of them comes to harm
following  a client that writes down what it is told, over any number of connections
users      who act as planned, and write down what they were promised
monkey     what carries out the accidents
weighing   the memory of each process, over time
records    the rows and files that are left in the end
books      whether all of that adds up: the differences, as sentences
run        all of it, one after the other
"""
