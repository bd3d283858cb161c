<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Contract;

use translate;

/**
 * Settings described by the fields of a catalogue: types, defaults, conditions, validity.
 *
 * Stored values are typed (a number is a number). Values that equal the default are not stored, so that a default changed
 * by a new version reaches users who have never touched the setting.
 */
final class Settings
{
    /** Beyond this, floating-point numbers do not represent all integers. */
    private const MAX_WHOLE = 2 ** 53;

    /** Tolerance for binary rounding, as a fraction of a step. */
    private const STEP_TOLERANCE = 1e-6;

    /** Fields by key. */
    public static function byKey(array $fields): array
    {
        return array_column($fields, null, 'key');
    }

    /** @return string[] keys of fields whose values are never sent to a browser */
    public static function secretKeys(array $fields): array
    {
        return array_column(array_filter($fields, fn(array $field): bool => $field['type'] === 'secret'), 'key');
    }

    /** Adds what a user had said by a setting that another one has taken the place of. */
    public static function withFormer(array $fields, array $entered): array
    {
        foreach (array_filter($fields, fn(array $field): bool => isset($field['formerly'])) as $field) {
            $former = $field['formerly']['setting'];
            $told = $field['formerly']['values'][self::text($entered[$former] ?? '')] ?? null;
            if (array_key_exists($former, $entered) && $told !== null) {
                $entered += [$field['key'] => $told];
            }
        }
        return $entered;
    }

    /**
     * Address fields whose host has changed, with the secrets sent there that apply with the new settings.
     *
     * @return string[][] keys of secrets by the key of the address
     */
    public static function movedSecrets(array $fields, array $before, array $after): array
    {
        $before = self::resolve($fields, $before);
        $after = self::resolve($fields, $after);
        $known = self::byKey($fields);
        $moved = [];
        foreach ($fields as $field) {
            [$old, $new] = [$before[$field['key']] ?? '', $after[$field['key']] ?? ''];
            if (isset($field['sends']) && $old !== '' && self::hostOf((string) $old) !== self::hostOf((string) $new)) {
                $moved[$field['key']] = array_values(array_filter(
                    $field['sends'],
                    fn(string $key): bool => self::holds($known[$key]['when'] ?? [], $after)
                ));
            }
        }
        return $moved;
    }

    /** Scheme and host of an address, for comparison (see core/contract/vectors/hosts.json). */
    public static function hostOf(string $address): string
    {
        $text = strtolower(trim($address));
        return preg_match('~^([^:/]+://)(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)~', $text, $parts) === 1
            ? $parts[1] . $parts[2]
            : preg_replace('/:\d+$/', '', $text);
    }

    /** Converts a value, which a form sends as text, to the type of its field; null if it is empty. */
    public static function cast(array $field, $value)
    {
        if ($field['type'] === 'list') {
            return self::castList($field, $value);
        }
        if (is_array($value) || $value === null) {
            return null;
        }
        if ($field['type'] === 'boolean') {
            return $value === '' ? null : !in_array($value, [false, 0, 0.0, '0', 'false'], true);
        }
        $text = is_bool($value) ? (string) (int) $value : (string) $value;
        // A secret is not trimmed: blanks may be part of it.
        $text = $field['type'] === 'secret' ? $text : trim($text);
        if ($text === '') {
            return null;
        }
        return $field['type'] === 'number' ? self::number($text) ?? $text : $text;
    }

    /** Converts to a finite number, int if possible; null if the text is not a number. */
    private static function number(string $text)
    {
        $text = str_replace(',', '.', $text);
        $number = is_numeric($text) ? $text + 0 : INF;
        if (!is_finite($number)) {
            return null;
        }
        return abs($number) < self::MAX_WHOLE && $number == (int) $number ? (int) $number : $number;
    }

    /** Accepts an array, a comma separated text, or the boxes of a form ({"value": "1", "other": "0"}). */
    private static function castList(array $field, $value): ?array
    {
        if ($value === null || $value === '') {
            return null;
        }
        if (!is_array($value)) {
            $value = explode(',', (string) $value);
        } elseif (array_keys($value) !== range(0, count($value) - 1)) {
            $value = array_keys(array_filter($value));
        }
        return array_values(array_filter(
            array_map(fn($choice): string => trim((string) $choice), $value),
            fn(string $choice): bool => isset($field['choices'][$choice])
        ));
    }

    /** Settings to store: known ones, typed, without empty ones and those that equal their default. */
    public static function compact(array $fields, array $values): array
    {
        $kept = [];
        foreach ($fields as $field) {
            $value = self::cast($field, $values[$field['key']] ?? null);
            if ($value !== null && $value !== ($field['default'] ?? null)) {
                $kept[$field['key']] = $value;
            }
        }
        return $kept;
    }

    /** compact() without invalid settings, which earlier versions may have stored. */
    public static function usable(array $fields, array $values): array
    {
        $known = self::byKey($fields);
        return array_filter(
            self::compact($fields, $values),
            fn($value, string $key): bool => self::valueError($known[$key], $value) === null,
            ARRAY_FILTER_USE_BOTH
        );
    }

    /**
     * Settings in force: typed, with defaults, without empty ones. A number is brought within its bounds; an unreadable one
     * counts as not set (see core/contract/vectors/settings.json).
     */
    public static function resolve(array $fields, array $values): array
    {
        return self::withDefaults($fields, $values, static function (array $field, $value) {
            if ($field['type'] !== 'number' || $value === null) {
                return $value;
            }
            return is_string($value) ? null : min(max($value, $field['min'] ?? $value), $field['max'] ?? $value);
        });
    }

    /** The same with numbers as they were entered, right or wrong. */
    private static function entered(array $fields, array $values): array
    {
        return self::withDefaults($fields, $values, fn(array $field, $value) => $value);
    }

    private static function withDefaults(array $fields, array $values, callable $accepted): array
    {
        $all = [];
        foreach ($fields as $field) {
            $value = $accepted($field, self::cast($field, $values[$field['key']] ?? null)) ?? $field['default'] ?? null;
            if ($value !== null) {
                $all[$field['key']] = $value;
            }
        }
        return $all;
    }

    /**
     * True if all conditions of a "when" hold. Of a setting that is a list, one entry must match.
     *
     * @param array $when {"<setting>": value or [values]}; "connection.<setting>" reads the parent
     * @param array $settings resolved settings, those of the parent under "connection.<setting>"
     */
    public static function holds(array $when, array $settings): bool
    {
        foreach ($when as $setting => $wanted) {
            $present = $settings[$setting] ?? null;
            $present = array_map([self::class, 'text'], is_array($present) ? $present : [$present]);
            $accepted = array_map([self::class, 'text'], is_array($wanted) ? $wanted : [$wanted]);
            if (array_intersect($present, $accepted) === []) {
                return false;
            }
        }
        return true;
    }

    /** A setting as text for comparison, as the daemon compares it: an empty one equals "no". */
    private static function text($value): string
    {
        return $value === null || $value === '' || $value === false ? '0' : (string) $value;
    }

    /** The unit of a row: a text, or {"by": "<setting>", "<value>": "<unit>"}. */
    public static function unit($unit, array $settings): string
    {
        if (!is_array($unit)) {
            return (string) $unit;
        }
        return (string) ($unit[self::text($settings[$unit['by']] ?? null)] ?? '');
    }

    /**
     * Validates settings; returns a sentence in the user's language for each that is not valid.
     *
     * @param array $values compact or resolved settings, secrets included
     * @param array $context settings that a "when" may read beside them
     * @param bool $complete whether required settings must be there
     * @return string[]
     */
    public static function errors(array $fields, array $values, array $context, bool $complete): array
    {
        $errors = [];
        $settings = self::entered($fields, $values);
        foreach ($fields as $field) {
            if (!self::holds($field['when'] ?? [], $settings + $context)) {
                continue;
            }
            $value = $settings[$field['key']] ?? null;
            if ($value === null) {
                if ($complete && !empty($field['required'])) {
                    $errors[] = sprintf(__('Renseignez le champ « %s ».', __FILE__), $field['label']);
                }
                continue;
            }
            $error = self::valueError($field, $value);
            if ($error !== null) {
                $errors[] = $error;
            }
        }
        return $errors;
    }

    private static function valueError(array $field, $value): ?string
    {
        if ($field['type'] === 'number') {
            if (!is_int($value) && !is_float($value)) {
                return sprintf(__('« %s » doit être un nombre.', __FILE__), $field['label']);
            }
            if (isset($field['min']) && $value < $field['min']) {
                return sprintf(__('« %s » doit être au moins %s.', __FILE__), $field['label'], self::shown($field['min']));
            }
            if (isset($field['max']) && $value > $field['max']) {
                return sprintf(__('« %s » doit être au plus %s.', __FILE__), $field['label'], self::shown($field['max']));
            }
            return self::stepError($field, $value);
        }
        if ($field['type'] === 'choice' && !isset($field['choices'][$value])) {
            return sprintf(__('« %s » ne fait pas partie des choix possibles.', __FILE__), $field['label']);
        }
        return null;
    }

    /** A number as the reader writes it. */
    private static function shown($number): string
    {
        $text = (string) $number;
        return strpos(translate::getLanguage(), 'fr') === 0 ? str_replace('.', ',', $text) : $text;
    }

    /** Steps are counted from the minimum, as browsers do. */
    private static function stepError(array $field, $value): ?string
    {
        $steps = isset($field['step']) ? ($value - ($field['min'] ?? 0)) / $field['step'] : 0;
        if (abs($steps - round($steps)) <= self::STEP_TOLERANCE) {
            return null;
        }
        return $field['step'] == 1
            ? sprintf(__('« %s » doit être un nombre entier.', __FILE__), $field['label'])
            : sprintf(__('« %s » doit avancer par pas de %s.', __FILE__), $field['label'], self::shown($field['step']));
    }
}
