<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Contract;

use Exception;
use Jeenergie\Storage\Json;
use translate;

/**
 * The catalogues of core/contract: what systems there are, and the settings, equipment and commands of each.
 *
 * A catalogue is read once per request. Texts come as they are written, in French; translated() gives
 * those that a user reads in the language of Jeedom. The names of commands are data and stay French.
 */
final class Catalogue
{
    private const FOLDER = __DIR__ . '/../../contract';

    /** Keys whose text is shown to the user. */
    private const TEXTS = ['name', 'label', 'help', 'confirm', 'keyLabel', 'keyHelp', 'placeholder', 'unit', 'unticked'];

    /** Which figures of a quantity the panel sums up: not those of the moment, nor a day that is still running. */
    private const SHOWN_PER = ['counter', 'measure', 'day', 'month', 'year'];

    private static $cache = [];

    /** @return string[] names of the systems, for example to list their catalogues */
    public static function backends(): array
    {
        return array_map(
            fn(string $file): string => basename($file, '.json'),
            glob(self::FOLDER . '/catalogue/*.json')
        );
    }

    /** The catalogue of a system as it is written. */
    public static function of(string $backend): array
    {
        if (!in_array($backend, self::backends(), true)) {
            throw new Exception(sprintf(__('Le système « %s » est inconnu du plugin.', __FILE__), $backend));
        }
        return self::read('catalogue/' . $backend . '.json');
    }

    /** What all systems share: texts of the states, common commands, settings of every command. */
    public static function common(): array
    {
        return self::read('common.json');
    }

    /** The part of a catalogue that describes a connection ($type = null) or a type of equipment. */
    public static function part(string $backend, ?string $type): array
    {
        $catalogue = self::of($backend);
        if ($type === null) {
            return $catalogue['connection'];
        }
        if (!isset($catalogue['equipment'][$type])) {
            throw new Exception(sprintf(__('Le type d\'équipement « %s » est inconnu du plugin.', __FILE__), $type));
        }
        return $catalogue['equipment'][$type];
    }

    /** Fields of a connection or of an equipment, in the user's language. */
    public static function fields(string $backend, ?string $type): array
    {
        $catalogue = self::translated($backend);
        return $type === null
            ? $catalogue['connection']['fields']
            : ($catalogue['equipment'][$type]['fields'] ?? []);
    }

    /**
     * Every row of commands: the common ones, those of its sets, its own; one for each value of an "each".
     * Several rows may share a logicalId under conditions that exclude each other.
     *
     * @return array[] list of rows
     */
    public static function rows(string $backend, ?string $type): array
    {
        $key = 'rows ' . $backend . ' ' . $type;
        if (!isset(self::$cache[$key])) {
            $common = self::common()[$type === null ? 'connection' : 'equipment']['commands'];
            $part = self::part($backend, $type);
            $sets = self::of($backend)['sets'] ?? [];
            $shared = array_map(fn(string $name): array => $sets[$name], $part['sets'] ?? []);
            [$profiles, $phases] = self::shortForms($backend);
            $rows = [];
            foreach (array_merge($common, ...$shared, ...[$part['commands']]) as $row) {
                array_push($rows, ...Rows::writtenOut($row, $profiles, $phases));
            }
            self::$cache[$key] = $rows;
        }
        return self::$cache[$key];
    }

    /** @return array[] the profiles that rows of a catalogue name, and its rule for rows of single phases */
    private static function shortForms(string $backend): array
    {
        $catalogue = self::of($backend);
        $shared = self::read('profiles.json')['profiles'];
        return [array_replace($shared, $catalogue['profiles'] ?? []), $catalogue['phases'] ?? []];
    }

    /**
     * The rows that hold with these settings, by logicalId, their unit resolved.
     *
     * @param array $settings resolved settings, those of the parent under "connection.<setting>"
     */
    public static function applicableRows(string $backend, ?string $type, array $settings): array
    {
        $applicable = [];
        foreach (self::rows($backend, $type) as $index => $row) {
            if (isset($applicable[$row['logicalId']]) || !Settings::holds($row['when'] ?? [], $settings)) {
                continue;
            }
            $row['unit'] = Settings::unit($row['unit'] ?? '', $settings);
            $row['order'] = $row['order'] ?? $index;
            $applicable[$row['logicalId']] = $row;
        }
        return $applicable;
    }

    /** The fields that a user may fill for each command, by logicalId: those of its row, then those of every info. */
    public static function commandFields(string $backend, ?string $type): array
    {
        $key = 'fields ' . $backend . ' ' . $type;
        if (!isset(self::$cache[$key])) {
            $common = self::translate(self::common()['settings'], 'common.json');
            $fields = [];
            foreach (self::rows($backend, $type) as $row) {
                $own = self::translate($row['settings'] ?? [], 'catalogue/' . $backend . '.json');
                $fields[$row['logicalId']] = array_merge($own, $row['type'] === 'info' ? $common : []);
            }
            self::$cache[$key] = $fields;
        }
        return self::$cache[$key];
    }

    /** The catalogue of a system with the texts in the user's language, without its commands. */
    public static function translated(string $backend): array
    {
        $key = 'translated ' . $backend;
        if (!isset(self::$cache[$key])) {
            $catalogue = self::of($backend);
            unset($catalogue['connection']['commands'], $catalogue['sets']);
            unset($catalogue['profiles'], $catalogue['phases']);
            foreach (array_keys($catalogue['equipment']) as $type) {
                unset($catalogue['equipment'][$type]['commands']);
            }
            self::$cache[$key] = self::withCommonFields(self::translate($catalogue, 'catalogue/' . $backend . '.json'));
        }
        return self::$cache[$key];
    }

    /** Adds the fields that equipment of every type has; a type may have its own form of one. */
    private static function withCommonFields(array $catalogue): array
    {
        $common = self::translate(self::common()['equipment']['fields'] ?? [], 'common.json');
        foreach ($catalogue['equipment'] as $type => $part) {
            $own = array_column($part['fields'], 'key');
            foreach ($common as $field) {
                if (!in_array($field['key'], $own, true)) {
                    $catalogue['equipment'][$type]['fields'][] = $field;
                }
            }
        }
        return $catalogue;
    }

    /** Names that commands had in the former plugin where it was another one, by logicalId. */
    public static function formerNames(string $backend): array
    {
        return self::read('former_names.json')['systems'][$backend] ?? [];
    }

    /** The choices of an action, in the user's language. */
    public static function choices(string $backend, array $row): array
    {
        return self::translate(['choices' => $row['choices'] ?? []], 'catalogue/' . $backend . '.json')['choices'];
    }

    /** The closed vocabulary of what commands measure and do. */
    public static function quantities(): array
    {
        return self::read('quantities.json');
    }

    /** A quantity's name in the user's language. */
    public static function quantityName(string $quantity): string
    {
        return self::sentence(self::quantities()['quantities'][$quantity]['name'] ?? $quantity, 'quantities.json');
    }

    /** The name of a tariff's period in the user's language. */
    public static function partName(string $part): string
    {
        return self::sentence(self::quantities()['parts'][$part]['name'] ?? $part, 'quantities.json');
    }

    /** @return array<string, string> the parts that sources take in the house: their names in the user's language */
    public static function roleNames(): array
    {
        $names = array_column(self::read('roles.json')['roles'], 'name', 'role');
        return array_map(fn(string $name): string => self::sentence($name, 'roles.json'), $names);
    }

    /** Whether a name of a command is one that the plugin gives or has given, rather than the user's own. */
    public static function isGivenName(string $backend, array $row, string $name): bool
    {
        $former = self::read('former_names.json');
        $names = ($former['systems'][$backend] ?? []) + $former['common'];
        $single = (string) preg_replace('/\d/', '{n}', $row['logicalId'], 1, $count);
        $number = preg_match('/\d/', $row['logicalId'], $digit) ? $digit[0] : '';
        $given = [$row['name'], ...(array) ($names[$row['logicalId']] ?? [])];
        foreach ($count === 0 ? [] : (array) ($names[$single] ?? []) as $each) {
            $given[] = str_replace('{n}', $number, $each);
        }
        return in_array($name, $given, true);
    }

    /** The name of a command in the user's words, where it is the catalogue's own, which is French in every language. */
    public static function nameToRead(string $backend, array $row, string $name): string
    {
        if ($row === [] || !self::isGivenName($backend, $row, $name)) {
            return $name;
        }
        // A measure of a single phase is named as the one of all, with its number, which reads the same everywhere.
        preg_match('/^(.+)( phase \d)$/u', $row['name'], $single);
        foreach ([[$row['name'], ''], ...($single === [] ? [] : [[$single[1], $single[2]]])] as [$whole, $phase]) {
            foreach (['tiles.json', 'catalogue/' . $backend . '.json'] as $file) {
                $read = self::text($whole, $file);
                if ($read !== $whole) {
                    return $read . $phase;
                }
            }
        }
        return $name;
    }

    /** Values of a command that are texts, with what the user reads instead; empty in the language of the data. */
    public static function valuesToRead(string $backend, array $row): array
    {
        $read = [];
        foreach (array_filter(is_array($row['map'] ?? null) ? $row['map'] : [], 'is_string') as $value) {
            $read[$value] = self::text($value, 'catalogue/' . $backend . '.json');
        }
        return array_filter($read, fn(string $text, $value): bool => $text !== (string) $value, ARRAY_FILTER_USE_BOTH);
    }

    /** The tiles by purpose, and how their numbers are written. */
    public static function tiles(): array
    {
        return self::read('tiles.json');
    }

    /** A text of a file of core/contract, in the user's language. */
    public static function text(string $text, string $file): string
    {
        return self::sentence($text, $file);
    }

    /**
     * What a command is for the energy panel, by the quantity that it measures: {kind, per, ink}, and {part, color} for one
     * tariff period; null if the panel has no use for it.
     */
    public static function panel(array $row): ?array
    {
        $measures = $row['measures'] ?? null;
        $quantity = is_array($measures) ? self::quantities()['quantities'][$measures['quantity']] ?? [] : [];
        if (!isset($quantity['group']) || !in_array($measures['per'], self::SHOWN_PER, true)) {
            return null;
        }
        $part = isset($measures['part']) ? self::quantities()['parts'][$measures['part']] : [];
        return ['kind' => $quantity['group'], 'per' => $measures['per'], 'ink' => $quantity['color'] ?? ''] + ($part === [] ? [] : [
            'part' => self::sentence($part['name'], 'quantities.json'),
            'color' => $part['color'],
        ]);
    }

    /** What the command "Etat" holds: the French words in every language, so that no scenario depends on the language. */
    public static function stateValue(string $state): string
    {
        return self::common()['states'][$state] ?? $state;
    }

    /** The text of a connection's state, in the user's language. */
    public static function state(string $state): string
    {
        return self::sentence(self::common()['states'][$state] ?? $state, 'common.json');
    }

    private static function translate(array $part, string $file): array
    {
        foreach ($part as $key => $value) {
            if ($key === 'choices') {
                foreach ($value as $choice => $label) {
                    $part[$key][$choice] = self::sentence($label, $file);
                }
                // A browser puts the keys of an object that are numbers first.
                $part['order'] = array_map('strval', array_keys($value));
            } elseif (is_array($value)) {
                $part[$key] = self::translate($value, $file);
            } elseif (is_string($value) && in_array($key, self::TEXTS, true)) {
                $part[$key] = self::sentence($value, $file);
            }
        }
        return $part;
    }

    private static function sentence(string $text, string $file): string
    {
        return $text === '' ? '' : translate::sentence($text, 'plugins/jeenergie/core/contract/' . $file);
    }

    private static function read(string $file): array
    {
        if (!isset(self::$cache[$file])) {
            try {
                $content = Json::decode((string) file_get_contents(self::FOLDER . '/' . $file));
            } catch (Exception $error) {
                throw new Exception(sprintf(
                    __('Le fichier %s du plugin est illisible : réinstallez le plugin.', __FILE__),
                    $file
                ));
            }
            self::$cache[$file] = $content;
        }
        return self::$cache[$file];
    }
}
