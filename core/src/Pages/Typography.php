<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

/**
 * French puts a space before a colon and the like, and inside its quotes: one at which no line ends, nor does one between a
 * number and its unit. Sentences have an ordinary one where they are written, since scenarios compare them. The browser has
 * the same rule (core/contract/vectors/sentences.json holds all of them).
 */
final class Typography
{
    private const BOUND = '/ (?=[:;!?%€\x{bb}])|(?<=\x{ab}) |(?<=\d) (?=(?:[kM]?(?:Wh?|VA)|[AVdhjlLs]|min|m³|°C)(?![\p{L}\d]))/u';

    public static function bound(string $text): string
    {
        return preg_replace(self::BOUND, "\u{a0}", $text) ?? $text;
    }
}
