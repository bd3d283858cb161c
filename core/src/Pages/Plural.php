<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use translate;

/** Sentences that follow a number: "%d thing|%d things". */
final class Plural
{
    /** The part of the sentences that the number asks for, in Jeedom's language. */
    public static function of(string $sentences, int $number): string
    {
        $parts = explode('|', $sentences);
        return $parts[self::isOne($number, translate::getLanguage()) ? 0 : 1] ?? $parts[0];
    }

    /** Whether a number takes the singular: below two in French, else one alone. */
    public static function isOne(float $number, string $language): bool
    {
        return strpos($language, 'fr') === 0 ? abs($number) < 2 : $number == 1;
    }
}
