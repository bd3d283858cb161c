<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use jeenergie;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Equipment\Names;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Row;

/**
 * Makes connections, equipment and commands that stand where the former ones stood. Each step may be done again.
 */
final class Creation
{
    /** What an equipment takes over as it is. */
    private const PLACE = ['object_id', 'isVisible', 'order', 'category', 'comment', 'tags', 'timeout'];

    /** What a command takes over as it is; its widget and its limits are those of the catalogue. */
    private const SHOWN = ['isVisible', 'order', 'isHistorized', 'alert'];

    /** Settings of the core for each command. */
    private const COMMAND_SETTINGS = [
        'actionCheckCmd', 'jeedomCheckCmdTime', 'jeedomCheckCmdOperator', 'jeedomCheckCmdTest', 'jeedomPreExecCmd',
        'jeedomPostExecCmd', 'actionConfirm', 'timeline::enable', 'timeline::folder', 'influx::enable', 'jeedomPushUrl',
    ];

    /** @param array $config with secrets */
    public static function connection(string $backend, string $name, array $config, string $marker): jeenergie
    {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie');
        $connection->setName(self::freeName($backend, $name));
        $connection->setIsVisible(0);
        $connection->setIsEnable(0);
        $connection->setConfiguration('kind', 'connection');
        $connection->setConfiguration('backend', $backend);
        $connection->setConfiguration('config', $config);
        $connection->setConfiguration('movedFrom', $marker);
        $connection->save();
        return $connection;
    }

    /** The equipment of that type and key; makes it if it is missing. */
    public static function equipment(jeenergie $connection, string $type, string $key, string $name, array $config): jeenergie
    {
        foreach ($connection->equipment() as $each) {
            if ($each->type() === $type && $each->key() === $key) {
                return $each;
            }
        }
        return Discovery::create($connection, $type, $key, $name, $config);
    }

    /**
     * Puts an equipment where the former one is, under its name.
     *
     * @param array $former row of the table eqLogic
     * @param string $name of the former one, before it was changed to make room
     */
    public static function place(jeenergie $eqLogic, array $former, string $name, bool $wasEnabled): void
    {
        $columns = array_intersect_key($former, array_flip(self::PLACE));
        $eqLogic->setObject_id($former['object_id']);
        $eqLogic->setName($name);
        $columns['name'] = Names::ofEqLogic($eqLogic);
        $settings = !$eqLogic->isConnection() && !$wasEnabled ? ['waits' => 0] : [];
        Row::update('eqLogic', $eqLogic->getId(), $columns, $settings);
    }

    /**
     * Makes commands where they are missing.
     *
     * @param string[] $logicalIds
     * @return string[] ids by logicalId
     */
    public static function commands(jeenergie $eqLogic, array $logicalIds): array
    {
        Commands::createMissing($eqLogic, $logicalIds);
        $ids = [];
        foreach (Commands::existing($eqLogic) as $logicalId => $cmd) {
            $ids[$logicalId] = (string) $cmd->getId();
        }
        return array_intersect_key($ids, array_flip($logicalIds));
    }

    /**
     * Shows commands as the former ones.
     *
     * @param array[] $former rows of the table cmd by id of the new command
     */
    public static function show(jeenergie $eqLogic, array $former): void
    {
        // Two may have each other's name, and the database wants them unique at every step.
        foreach (array_keys($former) as $id) {
            Row::update('cmd', $id, ['name' => '~' . $id]);
        }
        foreach ($former as $id => $row) {
            $columns = array_intersect_key($row, array_flip(self::SHOWN));
            $columns['name'] = Names::ofCommand((string) $row['name'], $eqLogic, $id);
            if ((string) $row['generic_type'] !== '') {
                $columns['generic_type'] = $row['generic_type'];
            }
            $display = self::decoded($row['display']);
            if ($display !== []) {
                $columns['display'] = Json::encode($display);
            }
            $settings = array_intersect_key(self::decoded($row['configuration']), array_flip(self::COMMAND_SETTINGS));
            Row::update('cmd', $id, $columns, array_filter($settings, 'is_scalar'));
        }
        $eqLogic->refreshWidget();
    }

    /** Sets or copies the display of a tile, whose keys name commands. */
    public static function display(jeenergie $eqLogic, array $former, Tokens $tokens, array $pairs): void
    {
        $display = [];
        foreach (self::decoded($former['display']) as $key => $value) {
            $parts = explode('::', (string) $key);
            foreach ($parts as $index => $part) {
                $parts[$index] = $index > 0 && $parts[$index - 1] === 'cmd' ? $pairs[$part] ?? $part : $part;
            }
            $display[implode('::', $parts)] = $key === 'backGraph::info' ? $pairs[$value] ?? $value : $value;
        }
        if ($display !== []) {
            $text = $tokens->replacedIn(Json::encode($display));
            Row::update('eqLogic', $eqLogic->getId(), ['display' => $text]);
        }
    }

    /** Enables or disables a connection, and with it its equipment. */
    public static function enable(jeenergie $connection, bool $enabled): void
    {
        if ((bool) $connection->getIsEnable() !== $enabled) {
            $connection->setIsEnable((int) $enabled);
            $connection->save();
        }
    }

    private static function freeName(string $backend, string $name): string
    {
        $taken = [];
        foreach (jeenergie::connections() as $each) {
            if ($each->backend() === $backend) {
                $taken[] = mb_strtolower((string) $each->getName());
            }
        }
        $name = Names::accepted($name);
        for ($free = $name, $n = 2; in_array(mb_strtolower($free), $taken, true); $n++) {
            $free = $name . ' ' . $n;
        }
        return $free;
    }

    private static function decoded($value): array
    {
        return is_array($value) ? $value : ((string) $value === '' ? [] : Json::decode((string) $value));
    }
}
