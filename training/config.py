"""The configuration of a training run: what a recipe can say, and what holds where it says nothing."""

from dataclasses import dataclass, field
from typing import Any

TASKS = ("intent", "sentiment", "tags", "relations", "vector")
LANGUAGES = ("en", "zh")
KINDS = ("adamw", "sgd")
SCHEDULES = ("linear", "cosine", "constant")
METHODS = ("full", "lora", "adalora", "adapters", "prefix")
FREEZES = ("none", "embeddings", "layers", "encoder")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The base that the model is made on, and its limits.

    Attributes:
        base: a name, a Hugging Face folder, or owner/name on the hub.
        language: `en` or `zh`, of a base that does not say it itself: one of the project's own does, and so
            does one that came of it (`pretrain`). Left out, it is the base's, or else English.
        start: a trained model on this base, whose weights and heads the run begins with: a run folder, or an
            exported version such as `model_repository/encoder_en/6`.
        start_share: this share of the finished weights is the start's, so that less of what it knew is lost
            (WiSE-FT: Wortsman et al., CVPR 2022).
        share_of: another run on this base, which the share is of instead: what two have learnt apart is
            together in their average (model soups: Wortsman et al., ICML 2022).
        vectors: the encoder, 384 wide, whose sentence vectors the model learns to give, so that models on
            different bases share one vector space. Left out, the space is that of the start, or else the
            base's own.
        added_words: so many of the training texts' words that the vocabulary cuts, the most frequent ones,
            become pieces of their own.
        max_pieces: longer texts are cut; special pieces count.
        dropout: the share of what the heads read that is left out.
    """

    base: str = "all-MiniLM-L6-v2"
    language: str = ""
    start: str = ""
    start_share: float = 0.0
    share_of: str = ""
    vectors: str = ""
    added_words: int = 0
    max_pieces: int = 64
    dropout: float = 0.1

    @property
    def shared(self) -> str:
        """The model of which the finished weights keep `start_share`; "" where they keep none."""
        return (self.share_of or self.start) if self.start_share else ""


@dataclass(frozen=True, slots=True)
class FileConfig:
    """A file of a shop's own.

    Attributes:
        path: of a .csv, .tsv, .jsonl, .conll, .bio or .iob2.
        columns: `text`, `intent`, `sentiment`, `entities`, `relations`: what they are called in the file;
            its `delimiter`; and `label_map`, from its labels to the schema's. As `[data.files.columns]`.
    """

    path: str
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What is trained on: how many examples an epoch draws of each, and what noise is put in.

    Attributes:
        sources: a count for each public data set, as `[data.sources]`: 0 leaves it out, -1 takes all.
        generated: a count for each kind of generated texts, as `[data.generated]`: `requests`, `products`,
            `feelings`; 0 leaves it out.
        files: a shop's own, as `[[data.files]]`.
        validation: files that decide which epoch is kept, besides what the project has for it, as
            `[[data.validation]]`.
        validation_sources: public data sets that decide it instead.
        on_leak: training texts that are evaluation texts too are an `error`, or `drop`ped.
        unlicensed: lets data train whose licence forbids shipping the weights, for experiments.
        normalise: whether texts become what the worker will make of them.
        typos: the chance that a text gets a slip of the finger, or two.
        punctuation: the chance that its punctuation is left out.
        casing: the chance that it comes all in capitals, all in lower case, or with each word capitalised.
        spaces: the chance that one between words of one kind is lost.
        lookalikes: the chance that letters become others that look like them.
        stop_words: words that may be left out.
        drop_stop_words: the chance that they all are.
    """

    sources: dict[str, int] = field(default_factory=dict)
    generated: dict[str, int] = field(default_factory=dict)
    files: tuple[FileConfig, ...] = ()
    validation: tuple[FileConfig, ...] = ()
    validation_sources: tuple[str, ...] = ()
    on_leak: str = "error"
    unlicensed: bool = False
    normalise: bool = True
    typos: float = 0.15
    punctuation: float = 0.5
    casing: float = 0.0
    spaces: float = 0.0
    lookalikes: float = 0.0
    stop_words: tuple[str, ...] = ()
    drop_stop_words: float = 0.0


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """Steps: how many, how far, and what is done to the weights.

    Attributes:
        kind: `adamw` (Loshchilov and Hutter, ICLR 2019) or `sgd`.
        schedule: how the learning rate falls to zero: `linear` or `cosine`; or `constant`, if it does not.
        epochs: passes over what is drawn of the data, at most.
        batch: texts that are passed at once.
        learning_rate: the highest.
        heads: by which the learning rate of what is not pre-trained is multiplied.
        weight_decay: draws weights towards zero, but for biases and layer normalisation.
        warmup: the share of the steps in which the learning rate rises.
        label_smoothing: the share of a label that is spread over all classes.
        clip: a longer gradient is cut to this length.
        patience: training ends after so many epochs without a better one.
        average: the share of all steps, at the end, whose weights are averaged (Izmailov et al., UAI 2018);
            the average is kept if it beats every epoch.
        momentum: the share of the last step that goes into the next, with `sgd`.
        layer_decay: by which the learning rate of a layer is multiplied, once for each layer above it
            (Howard and Ruder, ACL 2018).
        accumulate: so many batches make one step.
        adversarial: how far embeddings are moved for a second, harder pass (Miyato et al., ICLR 2017); 0 for
            none.
    """

    kind: str = "adamw"
    schedule: str = "linear"
    epochs: int = 6
    batch: int = 64
    learning_rate: float = 3e-4
    heads: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.06
    label_smoothing: float = 0.1
    clip: float = 1.0
    patience: int = 3
    average: float = 0.0
    momentum: float = 0.9
    layer_decay: float = 1.0
    accumulate: int = 1
    adversarial: float = 0.0


@dataclass(frozen=True, slots=True)
class TuningConfig:
    """Which parameters learn; the heads always do.

    Attributes:
        method: `full`, the base's own; or the base stays as it is and parameters are added: `lora`,
            `adalora`, `adapters`, `prefix`.
        freeze: what of the base does not learn with `full`: `none`, `embeddings`, all but the top `layers`,
            the whole `encoder`.
        layers: so many at the top learn with `freeze = "layers"`.
        rank: the rank of what `lora` and `adalora` add.
        alpha: what `lora` and `adalora` add is multiplied by this over the rank.
        dropout: the share of what they read that is left out.
        bottleneck: the width of `adapters`.
        prefix: so many positions stand before each text with `prefix`.
    """

    method: str = "full"
    freeze: str = "none"
    layers: int = 2
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    bottleneck: int = 48
    prefix: int = 16


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The weight of each task's loss; with 0, a task is not trained and needs no data.

    Attributes:
        intent: the weight of intents.
        sentiment: the weight of sentiment.
        tags: the weight of the tags of entities.
        relations: the weight of relations.
        vector: the weight of sentence vectors.
        consistency: the weight of R-Drop (Liang et al., NeurIPS 2021): every text with labelled words, or
            with a teacher every one that it has answered, is passed twice, with different dropout, and the
            tags are to agree, nothing else; 0 passes it once.
        teacher: the teacher's share of the loss of a word that has a label too.
        owners: the weight of each attribute's product being likelier than the query's others.
        contrast: the weight of a batch's vectors being as like one another as they are to be (Fang et al.,
            ICLR 2021).
        vector_share: the share of an epoch's texts that teach the sentence vectors.
    """

    intent: float = 1.0
    sentiment: float = 0.7
    tags: float = 1.0
    relations: float = 1.0
    vector: float = 1.0
    consistency: float = 0.0
    teacher: float = 0.7
    owners: float = 0.0
    contrast: float = 0.0
    vector_share: float = 0.25

    @property
    def tasks(self) -> frozenset[str]:
        """What is trained."""
        return frozenset(name for name in TASKS if getattr(self, name))


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """What a teacher is asked (Hinton et al., 2015); empty where there is no teacher.

    Attributes:
        texts: a count for each source, as `[distillation.texts]`, -1 for all; of one that is named here,
            those texts alone are drawn.
    """

    texts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudentConfig:
    """How a student is made smaller than its base; nothing is by default.

    Heads and units are those of a trained model to start with that matter most to the loss (Michel et al.,
    NeurIPS 2019), and are trained on.

    Attributes:
        layers: so many of the base stay, evenly spaced; 0 leaves all.
        vocabulary: so many word pieces stay, those most frequent in the training texts; 0 leaves all.
        heads: the share of the attention heads that stays.
        units: the share of the feed-forward units that stays.
    """

    layers: int = 0
    vocabulary: int = 0
    heads: float = 1.0
    units: float = 1.0


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What `train --search` varies, and by which figure of validation it judges.

    Attributes:
        figure: one of validation, such as `entities_f1`; `score` is their mean.
        space: values of the recipe by name, and their ranges or choices, as `[search.space]`; empty for the
            usual ones around the recipe's own.
    """

    figure: str = "score"
    space: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a run but where its data and its folder are.

    Attributes:
        model: the base.
        data: what is trained on.
        optimizer: the steps.
        loss: the tasks.
        distillation: the teacher.
        tuning: what learns.
        student: the size.
        search: the trials.
        wandb: a project of Weights & Biases for the curves, beside TensorBoard.
        seed: what all draws begin with.
        threads: so many of the processor are used.
    """

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    distillation: DistillationConfig = DistillationConfig()
    tuning: TuningConfig = TuningConfig()
    student: StudentConfig = StudentConfig()
    search: SearchConfig = SearchConfig()
    wandb: str = ""
    seed: int = 1
    threads: int = 2
