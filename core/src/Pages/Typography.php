<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

/**
 * French puts a space before a colon and the like, and inside its quotes: one at which no line ends. Sentences have an
 * ordinary one where they are written, since scenarios compare them.
 */
final class Typography
{
    public static function bound(string $text): string
    {
        return preg_replace('/ (?=[:;!?%€\x{bb}])|(?<=\x{ab}) /u', "\u{a0}", $text) ?? $text;
    }
}
