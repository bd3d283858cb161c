<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Contract;

/**
 * How the short rows of a catalogue are written out: profiles, phases, "each".
 *
 * The daemon follows the same rules; core/contract/vectors/profiles.json holds both to them.
 */
final class Rows
{
    /** What the row of a single phase does not take over: it measures a part, which nobody may add to the whole. */
    private const ONLY_OF_THE_WHOLE = ['measures' => 0, 'silence' => 0, 'phases' => 0];

    /**
     * The rows that a row of a catalogue stands for, in order, each without "as", "phases" and "each".
     *
     * @param array $profiles by name; "as" names some, separated by blanks: later ones win, and the row itself
     * @param array $phases rule of the catalogue {"each": [...], "when": {...}, "named": "{name} phase {n}"}, for rows with "phases"
     * @return array[]
     */
    public static function writtenOut(array $row, array $profiles, array $phases): array
    {
        if (isset($row['as'])) {
            $names = explode(' ', $row['as']);
            unset($row['as']);
            // In a union the first one wins: the row, then its profiles from the last to the first.
            foreach (array_reverse($names) as $name) {
                $row += $profiles[$name];
            }
        }
        if (empty($row['phases'])) {
            unset($row['phases']);
            return self::forEach($row);
        }
        $single = self::forEach(self::phase($row, $phases));
        unset($row['phases']);
        return array_merge(self::forEach($row), $single);
    }

    /** The row that measures single phases, with an "each". */
    private static function phase(array $row, array $rule): array
    {
        $phase = array_diff_key($row, self::ONLY_OF_THE_WHOLE);
        $phase['logicalId'] .= '{n}';
        $phase['name'] = str_replace('{name}', $phase['name'], $rule['named']);
        $phase['source'] = preg_replace('/\./', '.{n}.', $row['source'], 1);
        $phase['when'] = ($row['when'] ?? []) + $rule['when'];
        $phase['each'] = $rule['each'];
        return is_array($row['phases']) ? array_replace($phase, $row['phases']) : $phase;
    }

    /** @return array[] one row for each value of "each", {n} replaced in every text of it */
    private static function forEach(array $row): array
    {
        if (!isset($row['each'])) {
            return [$row];
        }
        $values = $row['each'];
        unset($row['each']);
        $open = array_filter($row, [self::class, 'isOpen']);
        return array_map(fn($value): array => array_replace($row, self::fill($open, (string) $value)), $values);
    }

    /** Whether {n} stands in a text, or somewhere in a part. */
    private static function isOpen($part): bool
    {
        $text = is_array($part) ? serialize($part) : $part;
        return is_string($text) && strpos($text, '{n}') !== false;
    }

    private static function fill(array $part, string $value): array
    {
        $filled = [];
        foreach ($part as $key => $item) {
            if (is_array($item)) {
                $item = self::fill($item, $value);
            } elseif (is_string($item)) {
                $item = str_replace('{n}', $value, $item);
            }
            $filled[str_replace('{n}', $value, (string) $key)] = $item;
        }
        return $filled;
    }
}
