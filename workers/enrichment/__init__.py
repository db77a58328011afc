"""The enricher: raw queries in, enriched events out, nothing lost on the way."""
