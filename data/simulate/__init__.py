"""What judgments would look like if we knew the truth: planted worlds, samplers and exact expectations.

`world` says what is planted, `cells` draws judgments as arrays, `tables` streams them as canonical columns,
`expected` integrates the same generator exactly, `texts` writes prompts and responses, `sample` joins all of
it to the dataset the app opens with.
"""
