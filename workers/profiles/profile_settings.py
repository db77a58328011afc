"""What the settings say about profiles, in the words of `streams`."""

from datetime import timedelta

from streams.events import ActionKind
from streams.profile_updates import Folding
from streams.profiles import ProfileRules
from workers.settings import Settings


def profile_rules(settings: Settings) -> ProfileRules:
    """The rules of the fold that the settings ask for."""
    profile = settings.profile
    weights = profile.action_weights
    return ProfileRules(
        half_life_days=profile.half_life_days,
        vector_half_life_days=profile.vector_half_life_days,
        sentiment_half_life_days=profile.sentiment_half_life_days,
        action_weights={kind: getattr(weights, kind.value) for kind in ActionKind},
        top_k=profile.top_k,
        recent_queries=profile.recent_queries,
    )


def profile_ttl(settings: Settings) -> timedelta:
    """How long a profile without news stays in Redis."""
    return timedelta(days=settings.profile.ttl_days)


def folding_of(settings: Settings) -> Folding:
    """How signals become profiles under the settings."""
    return Folding(
        topics=settings.topic_names,
        cluster=settings.cluster,
        epoch=settings.epoch,
        rules=profile_rules(settings),
    )
