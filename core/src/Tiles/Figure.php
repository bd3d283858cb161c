<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use Jeenergie\Contract\Catalogue;
use translate;

/**
 * How a number is written: in a unit that fits, with three significant digits, in the user's language.
 *
 * The browser writes new values by the same rule; core/contract/vectors/figures.json holds both to it.
 */
final class Figure
{
    /** No-break space, so that no line ends before a unit; narrow between thousands. */
    private const BLANK = "\u{a0}";
    private const THOUSANDS = "\u{202f}";

    /** @var string[]|null asked for once: the core reads its setting each time */
    private static $marks;

    /** @var string[]|null */
    private static $words;

    /** "1,97 kW" from 1970 and "W"; any other text as it is, "–" if it is empty. */
    public static function text($value, string $unit): string
    {
        if (!is_numeric($value)) {
            $text = (string) $value;
            return $text === '' ? '–' : self::words()[mb_strtolower($text)] ?? self::dated($text);
        }
        [$number, $unit, $digits] = self::fitting((float) $value, $unit);
        $marks = self::marks();
        $text = number_format(abs($number), $digits, $marks['decimal'], $marks['thousands']);
        return ($number < 0 ? '−' : '') . $text . ($unit === '' ? '' : self::BLANK . $unit);
    }

    /** Marks of the user's language, also for the browser. */
    public static function marks(): array
    {
        return self::$marks = self::$marks ?? (strpos(translate::getLanguage(), 'fr') === 0
            ? ['decimal' => ',', 'thousands' => self::THOUSANDS, 'date' => '$3/$2/$1']
            : ['decimal' => '.', 'thousands' => ',', 'date' => '$1-$2-$3']);
    }

    /**
     * Values that are data, the same in every language, with the words that the user reads: {lower case: word}; empty in the
     * language of the data. The browser writes new values by the same list.
     */
    public static function words(): array
    {
        if (self::$words === null) {
            self::$words = [];
            foreach (array_keys(Catalogue::common()['states']) as $state) {
                self::$words[mb_strtolower(Catalogue::stateValue($state))] = Catalogue::state($state);
            }
            $tiles = Catalogue::tiles();
            $words = array_merge(array_keys($tiles['chips'] + $tiles['units']), $tiles['words']);
            foreach ($words as $word) {
                self::$words[mb_strtolower($word)] = Catalogue::text($word, 'tiles.json');
            }
            self::$words = array_filter(
                self::$words,
                fn(string $word, string $value): bool => mb_strtolower($word) !== $value,
                ARRAY_FILTER_USE_BOTH
            );
        }
        return self::$words;
    }

    /** A unit as the user reads it. */
    public static function unit(cmd $cmd): string
    {
        $unit = (string) $cmd->getUnite();
        return self::words()[mb_strtolower($unit)] ?? $unit;
    }

    /** A text with its dates as the user's language writes them. */
    private static function dated(string $text): string
    {
        return (string) preg_replace('/\b(\d{4})-(\d\d)-(\d\d)\b/', self::marks()['date'], $text);
    }

    /** @return array{0: float, 1: string, 2: int} number, unit, digits after the comma */
    private static function fitting(float $value, string $unit): array
    {
        $units = Catalogue::tiles()['units'];
        $down = $units[$unit]['down'] ?? null;
        if ($down !== null && $value != 0 && abs($value) < 1) {
            $value *= $down[1];
            $unit = $down[0];
        }
        while (isset($units[$unit]['up']) && abs($value) >= $units[$unit]['up'][2]) {
            $up = $units[$unit]['up'];
            $value /= $up[1];
            $unit = $up[0];
        }
        $size = abs($value);
        $digits = $units[$unit]['digits'] ?? ($size >= 100 || floor($size) == $size ? 0 : ($size >= 10 ? 1 : 2));
        $value = round($value, $digits);
        return [$value == 0 ? 0.0 : $value, $unit, $digits];
    }
}
