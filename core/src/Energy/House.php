<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use eqLogic;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Socket;
use Jeenergie\Storage\Json;
use translate;

/**
 * What the page and the tile of the house show: the commands of the house's equipment with their last values, and what
 * only the daemon knows, its roles and its balance.
 */
final class House
{
    private const PREFIX = 'home.';

    /** Powers of what uses energy and has a name of its own in the picture. */
    private const USERS = ['charger.power', 'load.power'];

    /** Quantities whose presence says what the house has. */
    private const PARTS = '/^((grid|house|solar|battery)\\.|(charger|load)\\.power$)/D';

    /** Begin of a period without one. */
    private const EVER = '2000-01-01';

    /** What the picture in a tile is made of. */
    private const IN_SMALL = ['solarPower', 'gridPower', 'batteryPower', 'power', 'basePower', 'batteryLevel'];

    /** True when this request has given the browser the style and the scripts, which serve all tiles. */
    private static $isScripted = false;

    /** The house's equipment that the user may see; null without one. */
    public static function home(): ?jeenergie
    {
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if (!$eqLogic->isConnection() && $eqLogic->hasRight('r') && self::quantitiesOf($eqLogic) !== []) {
                return $eqLogic;
            }
        }
        return null;
    }

    /** @return array<string, string> the house's own figures by logicalId, as "<quantity>" of now or "<quantity>.<per>" */
    private static function quantitiesOf(jeenergie $eqLogic): array
    {
        $quantities = Catalogue::quantities()['quantities'];
        $found = [];
        foreach ($eqLogic->rows() as $logicalId => $row) {
            $measures = self::measures($row);
            $name = $measures['quantity'];
            $ofHouse = ($quantities[$name]['of'] ?? '') === 'house' && strpos($name, self::PREFIX) === 0;
            if ($ofHouse && in_array($measures['per'], ['now', 'today'], true)) {
                $key = substr($name, strlen(self::PREFIX));
                $found[$logicalId] = $key . ($measures['per'] === 'now' ? '' : '.' . $measures['per']);
            }
        }
        return $found;
    }

    /** @return array{quantity: string, per: string, part: string} what a row measures; a bare name means now */
    public static function measures(?array $row): array
    {
        $measures = $row['measures'] ?? '';
        return (is_array($measures) ? $measures : ['quantity' => $measures]) + ['per' => 'now', 'part' => ''];
    }

    /** What the first drawing needs, without asking the daemon. */
    public static function house(): array
    {
        $home = self::home();
        if ($home === null) {
            return ['home' => null];
        }
        $names = array_keys(Catalogue::quantities()['quantities']);
        return [
            'home' => (string) $home->getId(),
            'name' => $home->getName(),
            'connection' => (string) $home->getConfiguration('connection'),
            'isAdmin' => isConnect('admin'),
            'now' => time(),
            'values' => self::values($home),
            'holds' => self::holds($home),
            'names' => array_combine($names, array_map([Catalogue::class, 'quantityName'], $names)),
            'colors' => Catalogue::quantities()['colors'],
        ] + self::parts();
    }

    /** Whether its values are the state of now until the daemon is heard: it says itself when one is not known any more. */
    private static function holds(jeenergie $home): bool
    {
        $connection = jeenergie::byId($home->getConfiguration('connection'));
        return $connection instanceof jeenergie && ($connection->state()['state'] ?? '') === 'online';
    }

    /** @return array {has: [quantities of now that Jeedom has], devices: [{id, name, kind, cmd, value, unit, at}]} */
    private static function parts(): array
    {
        $quantities = Catalogue::quantities()['quantities'];
        $has = $devices = [];
        foreach (eqLogic::byType('jeenergie', true) as $eqLogic) {
            if ($eqLogic->isConnection() || !$eqLogic->hasRight('r')) {
                continue;
            }
            foreach ($eqLogic->rows() as $logicalId => $row) {
                $measures = self::measures($row);
                $name = $measures['quantity'];
                if ($measures['per'] !== 'now' || ($quantities[$name]['kind'] ?? '') !== 'power' || !preg_match(self::PARTS, $name)) {
                    continue; // of fifty inverters nobody needs to be asked
                }
                $cmd = $eqLogic->getCmd('info', $logicalId);
                if (is_object($cmd)) {
                    $has[$name] = true;
                    if (in_array($name, self::USERS, true)) {
                        $devices[] = ['id' => (string) $eqLogic->getId(), 'name' => $eqLogic->getName(),
                            'kind' => $quantities[$name]['color']] + self::value($cmd);
                    }
                }
            }
        }
        return ['has' => array_keys($has), 'devices' => $devices];
    }

    /** @return array<string, array> {cmd, value, unit, at: Unix time of the data or null} by quantity */
    public static function values(jeenergie $home): array
    {
        $values = [];
        foreach (self::quantitiesOf($home) as $logicalId => $key) {
            $cmd = $home->getCmd('info', $logicalId);
            if (is_object($cmd)) {
                $values[$key] = self::value($cmd);
            }
        }
        return $values;
    }

    private static function value(cmd $cmd): array
    {
        $value = $cmd->execCmd();
        $at = strtotime((string) $cmd->getCache('collectDate', ''));
        return [
            'cmd' => (string) $cmd->getId(),
            'value' => $value === '' ? null : $value,
            'unit' => (string) $cmd->getUnite(),
            'at' => $at === false ? null : $at,
        ];
    }

    /** Who takes which part, and the powers of now as the daemon knows them. */
    public static function roles(): array
    {
        self::needed();
        $found = Socket::request('house');
        $names = Catalogue::roleNames();
        $quantities = Catalogue::quantities()['quantities'];
        $roles = [];
        foreach ($found['roles'] ?? [] as $role) {
            $source = eqLogic::byId((int) $role['source']['equipment']);
            if (!$source instanceof jeenergie || !$source->hasRight('r')) {
                continue;
            }
            $row = $source->rows()[$role['source']['command']] ?? [];
            $cmd = $source->getCmd('info', $role['source']['command']);
            $role['name'] = $names[$role['quantity']] ?? $role['quantity'];
            $role['unit'] = $quantities[$role['source']['quantity']]['unit'] ?? '';
            $role['part'] = Catalogue::partName(self::measures($row)['part']);
            $role['equipment'] = $source->getName();
            // A meter of another plugin has a name of its own.
            $role['command'] = is_object($cmd)
                ? Catalogue::nameToRead($source->backend(), $row, (string) $cmd->getName())
                : Readings::nameOf($source);
            $roles[] = $role;
        }
        return ['roles' => $roles, 'now' => $found['now'] ?? []];
    }

    /** Whether this equipment is the house, which its tile draws. */
    public static function isHome(jeenergie $eqLogic): bool
    {
        return !$eqLogic->isConnection() && in_array('power', self::quantitiesOf($eqLogic), true);
    }

    /** The picture in small for a tile: its data, and the scripts that draw it and keep it up to date. */
    public static function small(jeenergie $home): string
    {
        $told = [
            'now' => time(),
            'values' => array_intersect_key(self::values($home), array_flip(self::IN_SMALL)),
            'colors' => Catalogue::quantities()['colors'],
            'language' => str_replace('_', '-', translate::getLanguage()),
            'devices' => [],
            'holds' => self::holds($home),
        ] + self::parts();
        $scripts = '';
        foreach (self::$isScripted ? [] : ['ask', 'math', 'elements', 'flow', 'tile'] as $script) {
            $file = 'desktop/js/house/' . $script . '.js';
            $scripts .= '<script>' . translate::exec(
                (string) file_get_contents(__DIR__ . '/../../../' . $file),
                'plugins/jeenergie/' . $file,
                true
            ) . '</script>';
        }
        $style = self::$isScripted ? '' : '<style>' . file_get_contents(__DIR__ . '/../../../desktop/css/flow.css') . '</style>';
        self::$isScripted = true;
        return $style . '<div class="jhPicture jhTile" data-jh-house="' . htmlspecialchars(Json::encode($told), ENT_QUOTES) . '"></div>'
            . $scripts . '<script>window.jeenergieHouse && window.jeenergieHouse.attach()</script>';
    }

    /** @param array $request {from, to: "YYYY-MM-DD" or null, per} */
    public static function balance(array $request): array
    {
        self::needed();
        $found = Socket::request('balance', [
            'from' => $request['from'] ?? null,
            'to' => $request['to'] ?? null,
            'per' => $request['per'] ?? 'day',
        ]);
        $devices = [];
        $hidden = 0.0;
        foreach ($found['devices']['used'] ?? [] as $id => $energy) {
            $device = eqLogic::byId((int) $id);
            if (!is_object($device) || !$device->hasRight('r')) {
                $hidden += $energy; // no name for who may not see it, but it is part of the house
                continue;
            }
            $devices[] = ['id' => (string) $id, 'name' => $device->getName(), 'kind' => self::kind($device), 'energy' => $energy];
        }
        usort($devices, fn(array $a, array $b): int => $b['energy'] <=> $a['energy']);
        $rest = $found['devices']['rest'] ?? null;
        return [
            'devices' => $devices,
            'rest' => $rest === null ? null : $rest + $hidden,
            'fluids' => (new Fluids(self::home()->connection()->config(), $found['fluidPrices'] ?? []))->of(
                (string) ($request['from'] ?? self::EVER),
                (string) ($found['to'] ?? date('Y-m-d')),
                (string) ($request['per'] ?? 'day')
            ),
        ] + $found;
    }

    /** The colour of an equipment that uses energy: that of the quantities it measures. */
    private static function kind(eqLogic $device): string
    {
        $quantities = Catalogue::quantities()['quantities'];
        foreach ($device instanceof jeenergie ? $device->rows() : [] as $row) {
            $color = $quantities[self::measures($row)['quantity']]['color'] ?? '';
            if ($color !== '') {
                return $color;
            }
        }
        return 'load';
    }

    private static function needed(): void
    {
        if (self::home() === null) {
            throw new Exception(__('La maison n\'existe pas encore, ou vous n\'y avez pas accès.', __FILE__));
        }
    }
}
