"""What stands below each training command's options in its help: examples, and what comes next."""

TRAIN = """
[bold]Examples[/bold]

  A first look, with the project's own data and generator:
    [cyan]intentstream train --config training/configs/quick.toml --run runs/quick[/cyan]

  On your own files, which the recipe names under \\[\\[data.files]] (CSV, JSONL, CoNLL):
    [cyan]intentstream train --config mine/recipe.toml --run runs/mine[/cyan]

  Which learning rate, batch, weights of tasks? 30 trials; then train with the best:
    [cyan]intentstream train --config mine/recipe.toml --run runs/search --search 30[/cyan]
    [cyan]intentstream train --config runs/search/best.toml --run runs/mine[/cyan]

  The curves, while it trains:
    [cyan]tensorboard --logdir runs[/cyan]

[bold]Next[/bold]

    [cyan]intentstream evaluate runs/mine --on mine/held-out.csv[/cyan]
    [cyan]intentstream export runs/mine[/cyan]

docs/training.md leads from a CSV of your own queries to a version on Triton.
"""

DISTILL = """
[bold]Examples[/bold]

  First a teacher, then its student:
    [cyan]intentstream train --config training/configs/large.toml --run runs/large[/cyan]
    [cyan]intentstream distill --config training/configs/english.toml --teacher runs/large[/cyan]

  Two teachers, whose answers are averaged and kept for the next student:
    [cyan]intentstream distill --config mine/student.toml --teacher runs/large --teacher runs/other \\
      --answers mine/answers.npz --run runs/student[/cyan]

  A smaller student: the recipe says how under \\[student] (layers, vocabulary, heads, units).

[bold]Next[/bold]

    [cyan]intentstream evaluate runs/student --before runs/large[/cyan]
    [cyan]intentstream export runs/student[/cyan]
"""

PRETRAIN = """
[bold]Examples[/bold]

  Queries one a line; the base that comes out is then named in a recipe, base = "bases/mine":
    [cyan]intentstream pretrain --queries mine/queries.txt --output bases/mine[/cyan]
    [cyan]intentstream train --config mine/recipe.toml --run runs/mine[/cyan]

  On another base, for longer, hiding whole words:
    [cyan]intentstream pretrain --queries mine/queries.txt --output bases/mine \\
      --base bge-small-en-v1.5 --epochs 3 --whole-words[/cyan]

The new base keeps the language of the old one, and so do the models trained on it. To serve such a
model beside the shipped ones, let it give the same vectors: vectors = "all-MiniLM-L6-v2".

It is worth its time where the queries' perplexity falls by much; what it does to your tasks, say
two runs of one recipe on both bases, compared with evaluate --before.
"""

EXPORT = """
[bold]Examples[/bold]

  The next version, whose number it says; then beside the live one, and live:
    [cyan]intentstream export runs/mine --repository model_repository[/cyan]
    [cyan]intentstream model load 2[/cyan]
    [cyan]intentstream replay --from -2h --model-version 2[/cyan]
    [cyan]intentstream model promote 2[/cyan]

  For a Triton on a GPU, fp16 from the same weights, before the version is loaded:
    [cyan]intentstream export --profile gpu --repository model_repository[/cyan]

  Figures and card of an exported version anew, after the evaluation sets have changed:
    [cyan]intentstream export model_repository/encoder_zh/1 --card[/cyan]

  Where a loss of one point of F1 is accepted:
    [cyan]intentstream export runs/mine --tolerance 0.01[/cyan]
"""
