<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;

/**
 * What moving from a former plugin would do, worked out without changing anything.
 *
 * Holds no secret: settings are read again when they are written.
 */
final class MovePlan
{
    /** @var Former */
    private $former;

    /** @var Recipe */
    private $recipe;

    /** @var array[] as Recipe::connections() has made them, secrets included */
    private $connections;

    /** @var array[] jeenergie eqLogics that equipment without a key has been given to, by id */
    private $given = [];

    /** @var array[] equipment that was settings of a connection, as MadeOfSettings plans it */
    private $made = [];

    public function __construct(Former $former)
    {
        $this->former = $former;
        $this->recipe = $former->recipe();
        $this->connections = $this->recipe->connections($former->connectionRecords());
    }

    /** Settings of a connection with its secrets; those that are not valid are left out. */
    public function config(int $connection): array
    {
        $fields = Catalogue::fields($this->former->backend(), null);
        return Settings::usable($fields, $this->connections[$connection]['config']);
    }

    /**
     * @return array {plugin, title, backend, backendName, stopsPlugin, points, connections, equipment, made}
     *  - connections: [{key, name, known: id or null, settings: [labels], missing: [labels]}]
     *  - equipment: [{id, name, object, type, typeName, key, config, connection, known: id or null, reason, commands}]
     *  - commands: [{id, name, to: logicalId or null, toName, reason, points, first, last, factor: null without history}],
     *    with "made": index of the one of "made" that has it here
     *  - made: [{type, typeName, key, config, connection, known: id or null, missing: [labels], note, commands}]
     */
    public function made(): array
    {
        $catalogue = Catalogue::translated($this->former->backend());
        $this->made = $this->plannedMade($catalogue);
        $equipment = [];
        foreach ($this->former->equipment() as $row) {
            $equipment[] = $this->equipment($row, $catalogue);
        }
        $commands = array_merge([], ...array_column($equipment, 'commands'));
        return [
            'plugin' => $this->former->plugin(),
            'title' => $this->former->title(),
            'backend' => $this->former->backend(),
            'backendName' => $catalogue['name'],
            'stopsPlugin' => $this->recipe->stopsPlugin(),
            'points' => array_sum(array_column($commands, 'points')),
            'connections' => array_map([$this, 'connection'], array_keys($this->connections)),
            'equipment' => $equipment,
            'made' => $this->made,
        ];
    }

    /**
     * Who uses what is moved, and who uses what is not and will go on with the former plugin.
     *
     * @return array[] {kind, name, count, stays: it names something that is not taken over}
     */
    public function uses(array $plan): array
    {
        [$moved, $left] = [[], []];
        $eqLogics = [];
        foreach ($plan['equipment'] as $equipment) {
            if ($equipment['reason'] === '') {
                $eqLogics[$equipment['id']] = 'x' . $equipment['id'];
            }
            foreach ($equipment['commands'] as $command) {
                if ($command['to'] !== null) {
                    $moved[$command['id']] = 'x' . $command['id'];
                } else {
                    $left[$command['id']] = 'x' . $command['id'];
                }
            }
        }
        $uses = [];
        foreach ([[new Tokens($moved, $eqLogics), false], [new Tokens($left, []), true]] as [$tokens, $stays]) {
            foreach ((new References($tokens, $this->former->plugin()))->changes() as $change) {
                $place = References::place($change);
                $key = $place['kind'] . ' ' . $place['name'] . ' ' . (int) $stays;
                $uses[$key] = $uses[$key] ?? $place + ['count' => 0, 'stays' => $stays];
                $uses[$key]['count']++;
            }
        }
        return array_values($uses);
    }

    private function connection(int $index): array
    {
        $backend = $this->former->backend();
        $connection = $this->connections[$index];
        $fields = Catalogue::fields($backend, null);
        $usable = $this->config($index);
        $resolved = Settings::resolve($fields, $usable);
        $known = $this->knownConnection($index);
        $missing = array_filter($fields, static fn(array $field): bool => !empty($field['required'])
            && Settings::holds($field['when'] ?? [], $resolved) && !isset($resolved[$field['key']]));
        return [
            'key' => $connection['key'],
            'name' => $connection['name'] === '' ? $this->former->title() : $connection['name'],
            'known' => $known === null ? null : (string) $known->getId(),
            'settings' => array_values(array_intersect_key(array_column($fields, 'label', 'key'), $usable)),
            'missing' => $known === null ? array_values(array_column($missing, 'label')) : [],
        ];
    }

    /** The connection made of it by an earlier move, or one of the user's with the same account or address. */
    public function knownConnection(int $index): ?jeenergie
    {
        $backend = $this->former->backend();
        $of = array_values(array_filter(
            jeenergie::connections(),
            static fn(jeenergie $each): bool => $each->backend() === $backend
        ));
        $connection = $this->connections[$index];
        if ($connection['record'] === []) {
            // The former plugin does not say which account it is: the one with the most equipment.
            usort($of, fn(jeenergie $a, jeenergie $b): int => count($b->equipment()) <=> count($a->equipment()));
            return $of[0] ?? null;
        }
        $identity = [];
        foreach (Catalogue::fields($backend, null) as $field) {
            if ($field['type'] === 'text' && !empty($field['required']) && isset($connection['config'][$field['key']])) {
                $identity[$field['key']] = $connection['config'][$field['key']];
            }
        }
        foreach ($of as $each) {
            $isMade = $each->getConfiguration('movedFrom') === $this->marker($index);
            $isSame = $identity !== [] && array_intersect_key($each->config(), $identity) == $identity;
            if ($isMade || $isSame) {
                return $each;
            }
        }
        return null;
    }

    /** The connection that a move has made, whether or not its journal knows it already. */
    public static function markedConnection(string $marker): ?jeenergie
    {
        foreach (jeenergie::connections() as $each) {
            if ($each->getConfiguration('movedFrom') === $marker) {
                return $each;
            }
        }
        return null;
    }

    /** Identifies the connection that is made of a former one. */
    public function marker(int $index): string
    {
        return $this->former->plugin() . '::' . $this->connections[$index]['key'];
    }

    private function equipment(array $row, array $catalogue): array
    {
        $target = $this->recipe->equipment(Former::record($row), $this->connections);
        $planned = [
            'id' => (string) $row['id'],
            'name' => $row['name'],
            'object' => $row['object_id'],
            'type' => $target['type'] ?? null,
            'typeName' => $catalogue['equipment'][$target['type'] ?? '']['name'] ?? '',
            'key' => $target['key'] ?? '',
            'config' => [],
            'connection' => $target['connection'] ?? null,
            'known' => null,
            'reason' => $this->reason($target),
        ];
        if ($planned['reason'] === '') {
            $planned = $this->placed($planned, $target);
        }
        $rows = $planned['reason'] === '' ? $this->rows($planned) : [];
        $commands = array_values($this->former->commands($row['id']));
        $planned['commands'] = array_map(fn(array $cmd): array => $this->command($cmd, $planned, $rows), $commands);
        return $planned;
    }

    private function plannedMade(array $catalogue): array
    {
        $planned = [];
        foreach ($this->connections as $index => $connection) {
            $known = $connection['makes'] === [] ? null : $this->knownConnection($index);
            foreach ($connection['makes'] as $each) {
                $fields = Catalogue::fields($this->former->backend(), $each['type']);
                $config = Settings::usable($fields, $each['config']);
                $missing = array_filter($fields, static function (array $field) use ($config): bool {
                    $value = $config[$field['key']] ?? null;
                    return !empty($field['required'])
                        && ($value === null || ($field['type'] === 'command' && !is_object(cmd::byId(trim($value, '#')))));
                });
                $there = null;
                foreach ($known === null ? [] : $known->equipment() as $equipment) {
                    $isIt = $equipment->type() === $each['type'] && $equipment->key() === $each['key'];
                    $there = $isIt ? (string) $equipment->getId() : $there;
                }
                $planned[] = ['config' => $config, 'connection' => $index, 'known' => $there]
                    + ['missing' => array_values(array_column($missing, 'label'))]
                    + ['typeName' => $catalogue['equipment'][$each['type']]['name']] + $each;
            }
        }
        return $planned;
    }

    private function reason(array $target): string
    {
        switch ($target['reason'] ?? '') {
            case '':
                return '';
            case 'help':
                return $target['help'];
            case 'key':
                return __('L\'ancien plugin ne connaît pas son numéro de série.', __FILE__);
            default:
                return __('Cet équipement n\'a pas d\'équivalent, ou sa connexion n\'existe plus.', __FILE__);
        }
    }

    /** Finds what is there already, which takes the former one's commands. */
    private function placed(array $planned, array $target): array
    {
        $connection = $this->knownConnection($planned['connection']);
        if ($planned['type'] === null) {
            $planned['known'] = $connection === null ? null : (string) $connection->getId();
            return $planned;
        }
        $fields = Catalogue::fields($this->former->backend(), $planned['type']);
        $planned['config'] = Settings::usable($fields, $target['config']);
        foreach ($connection === null ? [] : $connection->equipment() as $each) {
            $fits = $each->type() === $planned['type'] && ($target['existing']
                ? !in_array($each->getId(), $this->given, true)
                : $each->key() === $planned['key']);
            if ($fits) {
                $this->given[] = $target['existing'] ? $each->getId() : null;
                return ['known' => (string) $each->getId(), 'key' => $each->key()] + $planned;
            }
        }
        if ($target['existing']) {
            $planned['reason'] = sprintf(
                __('Ajoutez d\'abord la connexion « %s » et laissez-la trouver ses équipements.', __FILE__),
                Catalogue::translated($this->former->backend())['name']
            );
        }
        return $planned;
    }

    /** @return array[] rows that will apply to the new equipment, by logicalId */
    private function rows(array $planned): array
    {
        $known = $planned['known'] === null ? null : jeenergie::byId($planned['known']);
        if ($known instanceof jeenergie) {
            return $known->rows();
        }
        $backend = $this->former->backend();
        $own = Settings::resolve(Catalogue::fields($backend, $planned['type']), $planned['config']);
        $settings = $own;
        $parent = Settings::resolve(Catalogue::fields($backend, null), $this->config($planned['connection']));
        foreach ($parent as $key => $value) {
            $settings[$planned['type'] === null ? $key : 'connection.' . $key] = $value;
        }
        return Catalogue::applicableRows($backend, $planned['type'], $settings);
    }

    private function command(array $cmd, array $equipment, array $rows): array
    {
        $extent = $cmd['type'] === 'info' ? PointCopy::extent($cmd['id']) : ['points' => 0, 'first' => null, 'last' => null];
        $planned = ['id' => (string) $cmd['id'], 'name' => $cmd['name'], 'to' => null, 'toName' => '', 'reason' => '', 'factor' => null]
            + $extent;
        if ($equipment['reason'] !== '') {
            return $planned;
        }
        $row = $rows[$this->logicalId($cmd, $rows)] ?? null;
        foreach ($row === null ? $this->made : [] as $index => $made) {
            $to = $made['connection'] === $equipment['connection'] ? $made['commands'][$cmd['logicalId']] ?? null : null;
            if ($to !== null && $made['missing'] === []) {
                $row = Catalogue::applicableRows($this->former->backend(), $made['type'], $made['config'])[$to] ?? null;
                $planned['made'] = $index;
            }
        }
        if ($row === null) {
            return ['reason' => __('Aucune commande ne lui correspond avec ces réglages.', __FILE__)] + $planned;
        }
        if ($row['type'] !== $cmd['type']) {
            return ['reason' => __('La commande correspondante est d\'un autre type.', __FILE__)] + $planned;
        }
        $planned['to'] = (string) $row['logicalId'];
        $planned['toName'] = $row['name'];
        if ($planned['points'] === 0) {
            return $planned;
        }
        $planned['factor'] = $row['subType'] === $cmd['subType']
            ? $this->recipe->factor((string) $cmd['unite'], (string) $row['unit'])
            : null;
        if ($planned['factor'] === null) {
            $planned['reason'] = $row['subType'] === $cmd['subType']
                ? sprintf(
                    __('Son historique reste à l\'ancienne commande : l\'unité était « %1$s », elle est « %2$s ».', __FILE__),
                    $cmd['unite'],
                    $row['unit']
                )
                : __('Son historique reste à l\'ancienne commande : ses valeurs sont d\'une autre sorte.', __FILE__);
        }
        return $planned;
    }

    private function logicalId(array $cmd, array $rows): string
    {
        if (!$this->recipe->isByName()) {
            return $this->recipe->logicalId((string) $cmd['logicalId']);
        }
        $name = self::plain((string) $cmd['name']);
        $formerNames = Catalogue::formerNames($this->former->backend());
        foreach ($rows as $logicalId => $row) {
            $names = array_map([self::class, 'plain'], [$row['name'], $formerNames[$logicalId] ?? $row['name']]);
            if (in_array($name, $names, true) && $row['type'] === $cmd['type']) {
                return (string) $logicalId;
            }
        }
        return '';
    }

    /** Without accents, case and all that is neither letter nor digit. */
    private static function plain(string $name): string
    {
        $ascii = strtr(mb_strtolower($name), [
            'à' => 'a', 'â' => 'a', 'ç' => 'c', 'é' => 'e', 'è' => 'e', 'ê' => 'e', 'ë' => 'e', 'î' => 'i', 'ï' => 'i', 'ô' => 'o',
            'ù' => 'u', 'û' => 'u',
        ]);
        return (string) preg_replace('/[^a-z0-9]+/', '', $ascii);
    }
}
