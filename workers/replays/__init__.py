"""Replay for audits: a range read again, understood again, compared with what was published."""
