"""The parts of a query for several products: what is said, in which place, with which words.

`writer` draws words and fills templates; `phrases` says an attribute; `lists` puts products side by
side; `beside`, `places`, `rows` and `owned` are where an attribute may stand; `clauses`, `turns`,
`splits` and `notes` are further ways to say so; `frames` is what goes around it all.
"""
