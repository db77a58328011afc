"""Which encoder a text goes to, by its letters alone: as the served model's front decides it.

The front runs in Triton's Python, with nothing of ours, and so has its own copy; a test holds the two
together.
"""

from typing import Final, Literal

Language = Literal["en", "zh", "und"]

UNDETERMINED: Final = "und"


def script_of(text: str) -> Language:
    """`zh` where there is any Han, `en` for Latin or digits, `und` for other scripts or no word at all.

    Mixed script is Chinese, but not beside kana, which is Japanese, nor where letters of other
    scripts prevail.
    """
    latin = han = other = digits = 0
    for character in text:
        if not character.isalpha():
            digits += character.isalnum()
            continue
        code = ord(character)
        if code < 0x250 or 0x1E00 <= code < 0x1F00 or 0xFF21 <= code <= 0xFF5A:
            latin += 1
        elif 0x3040 <= code < 0x3100 or 0x31F0 <= code < 0x3200 or 0xFF66 <= code < 0xFFA0:
            return UNDETERMINED
        elif 0x3400 <= code < 0xA000 or 0xF900 <= code < 0xFB00 or code >= 0x20000:
            han += 1
        else:
            other += 1
    if other > latin + han or not (latin or han or digits):
        return UNDETERMINED
    return "zh" if han else "en"
