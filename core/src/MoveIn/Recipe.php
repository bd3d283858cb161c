<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

/**
 * Reads "former" of a catalogue: what the settings and equipment of another plugin become here.
 *
 * A record is what the other plugin has stored, flat: settings by their keys; of an equipment "id", "name" (in
 * a "match": "called"), "logicalId" and "configuration.<key>". A value of a recipe says how a setting is made of a record:
 *  - value: always this
 *  - from: key of the record; "in": "connection" for the record of the connection instead
 *  - flags: keys of the record; the list of those that are switched on
 *  - pattern: only the first group of this expression
 *  - map: {former value: new value}; what it does not name is left out
 *  - encrypted: the other plugin has encrypted it with the core's means
 */
final class Recipe
{
    /** @var array "former" of a catalogue */
    private $former;

    /** @var callable (string): ?string */
    private $decrypt;

    public function __construct(array $former, callable $decrypt)
    {
        $this->former = $former;
        $this->decrypt = $decrypt;
    }

    public function plugin(): string
    {
        return $this->former['plugin'];
    }

    /**
     * @param array[] $records of the connections
     * @return array[] {record, key: identifies it there, name, config, makes: [{type, key, config, commands, note}],
     *   equipment that was settings of the connection there}
     */
    public function connections(array $records): array
    {
        $recipe = $this->former['connections'];
        $connections = [];
        foreach ($records as $record) {
            $connections[] = [
                'record' => $record,
                'key' => (string) ($this->value($recipe['key'] ?? ['value' => ''], $record, []) ?? ''),
                'name' => (string) ($this->value($recipe['name'] ?? ['value' => ''], $record, []) ?? ''),
                'config' => $this->fields($recipe['fields'] ?? [], $record, []),
                'makes' => $this->makes($recipe['makes'] ?? [], $record),
            ];
        }
        return $connections;
    }

    private function makes(array $rules, array $record): array
    {
        $made = [];
        foreach ($rules as $rule) {
            if (self::matches($rule['match'], $record)) {
                $made[] = [
                    'type' => $rule['type'],
                    'key' => (string) ($this->value($rule['key'], $record, []) ?? ''),
                    'config' => $this->fields($rule['fields'], $record, []),
                    'commands' => $rule['commands'],
                    'note' => $rule['note'] ?? '',
                ];
            }
        }
        return $made;
    }

    private function fields(array $fields, array $record, array $connection): array
    {
        $config = [];
        foreach ($fields as $field => $value) {
            $made = $this->value($value, $record, $connection);
            if ($made !== null) {
                $config[$field] = $made;
            }
        }
        return $config;
    }

    /** True if the former equipment is itself a connection here, whose settings it holds. */
    public function isConnection(array $record): bool
    {
        $recipe = $this->former['connections'];
        return $recipe['of'] === 'equipment' && self::matches($recipe['match'] ?? [], $record);
    }

    /**
     * What a former equipment becomes.
     *
     * @param array $record of the equipment
     * @param array[] $connections as connections() has made them
     * @return array {type: null for the connection itself, key, config, connection: index, existing: takes what is
     *   there already}; {reason: untranslated sentence or ''} if it cannot be taken over
     */
    public function equipment(array $record, array $connections): array
    {
        foreach ($this->former['equipment'] as $rule) {
            foreach (self::matches($rule['match'] ?? [], $record) ? $connections : [] as $index => $connection) {
                $parent = isset($rule['parent']) ? $this->value($rule['parent'], $record, $connection['record']) : null;
                $fits = (!isset($rule['parent']) || (string) $parent === $connection['key'])
                    && array_intersect_assoc($rule['when'] ?? [], array_filter($connection['config'], 'is_scalar'))
                        == ($rule['when'] ?? []);
                if ($fits) {
                    return $this->target($rule, $record, $connection['record']) + ['connection' => $index];
                }
            }
        }
        return ['reason' => 'unknown'];
    }

    /** The logicalId here of a former command; '' if there is none. */
    public function logicalId(string $former): string
    {
        return $this->former['commands'][$former] ?? $former;
    }

    /** The factor from a former unit to the one here; null if its values cannot be converted. */
    public function factor(string $from, string $to): ?float
    {
        $factor = $this->former['units'][$from . ' ' . $to] ?? null;
        return $factor === null ? PointCopy::factor($from, $to) : (float) $factor;
    }

    /** True if commands are recognized by their names only. */
    public function isByName(): bool
    {
        return ($this->former['by'] ?? '') === 'name';
    }

    /** True if the former plugin as a whole must be stopped before its settings are read. */
    public function stopsPlugin(): bool
    {
        return ($this->former['stop'] ?? '') === 'plugin';
    }

    private function target(array $rule, array $record, array $connection): array
    {
        if (isset($rule['help'])) {
            return ['reason' => 'help', 'help' => $rule['help']];
        }
        if (($rule['type'] ?? null) === null) {
            return ['type' => null, 'key' => '', 'config' => []];
        }
        $existing = !isset($rule['key']);
        $key = $existing ? '' : trim((string) $this->value($rule['key'], $record, $connection));
        if ($key === '' && !$existing) {
            return ['reason' => 'key'];
        }
        $config = $this->fields($rule['fields'] ?? [], $record, $connection);
        return ['type' => $rule['type'], 'key' => $key, 'config' => $config, 'existing' => $existing];
    }

    /** @return mixed null if the record does not have it */
    private function value(array $value, array $record, array $connection)
    {
        if (array_key_exists('value', $value)) {
            return $value['value'];
        }
        $source = ($value['in'] ?? '') === 'connection' ? $connection : $record;
        if (isset($value['flags'])) {
            return array_values(array_filter($value['flags'], static fn(string $key): bool => !empty($source[$key])));
        }
        $found = self::text($source[$value['from']] ?? null);
        if (!empty($value['encrypted'])) {
            $found = self::text(($this->decrypt)($found));
        }
        if (isset($value['pattern'])) {
            $found = preg_match('/' . $value['pattern'] . '/', $found, $parts) === 1 ? $parts[1] : '';
        }
        if (isset($value['map'])) {
            return $value['map'][$found] ?? null;
        }
        return $found === '' ? null : $found;
    }

    /** What was stored, as a text without blanks around it; '' for lists, infinite numbers and other encodings. */
    private static function text($stored): string
    {
        $is = is_string($stored) || is_bool($stored) || is_int($stored) || (is_float($stored) && is_finite($stored));
        $text = $is ? trim((string) $stored) : '';
        return preg_match('//u', $text) === 1 ? $text : '';
    }

    /** @param array $match {key of the record: expression} */
    private static function matches(array $match, array $record): bool
    {
        foreach ($match as $key => $pattern) {
            if (preg_match('/' . $pattern . '/u', self::text($record[$key] ?? null)) !== 1) {
                return false;
            }
        }
        return true;
    }
}
