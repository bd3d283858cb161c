<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use Exception;
use jeenergie;
use Jeenergie\Storage\Moment;
use log;
use utils;

/**
 * Runs the command that the user has chosen for a request of the daemon, in the background.
 *
 * A single request (an edge) expires. The state a load shall have (a level) is handled by Levels.
 */
final class Trigger
{
    /**
     * @param array $event {equipment, name: key of the field that holds the command, value, at, expires}, or a level
     * @param int $sent Unix time at which the event was sent, by the daemon's clock
     */
    public static function schedule(jeenergie $eqLogic, array $event, int $sent): void
    {
        if (!empty($event['level'])) {
            $left = isset($event['expires']) ? Moment::parse($event['expires']) - $sent : null;
            Levels::request($eqLogic, $event, $left === null ? null : time() + $left);
            return;
        }
        if (self::command($eqLogic, (string) $event['name']) === '') {
            return;
        }
        utils::executeAsync('jeenergie', 'runTrigger', array_intersect_key(
            $event,
            array_flip(['equipment', 'name', 'value', 'at', 'expires'])
        ));
    }

    /** The background part: runs an edge, or the level of a piece of equipment. */
    public static function run(array $event): void
    {
        if (isset($event['number'])) {
            Levels::carryOut((string) $event['equipment']);
            return;
        }
        $eqLogic = jeenergie::byId($event['equipment']);
        if (!$eqLogic instanceof jeenergie || $eqLogic->getIsEnable() != 1) {
            return;
        }
        if (strtotime($event['expires']) < time()) {
            log::add('jeenergie', 'info', sprintf(
                __('%s : le déclenchement « %s » arrive trop tard, il est ignoré.', __FILE__),
                $eqLogic->getHumanName(),
                $event['name']
            ));
            return;
        }
        try {
            self::execute($eqLogic, $event);
        } catch (Exception $error) {
            throw new Exception($eqLogic->getHumanName() . ' : ' . $event['name'] . ' : ' . $error->getMessage());
        }
    }

    /**
     * Runs the chosen command, if there is one.
     *
     * @param array $event {name, value}
     * @throws Exception if the command does not exist any more, or fails
     */
    public static function execute(jeenergie $eqLogic, array $event): void
    {
        $id = self::command($eqLogic, (string) $event['name']);
        if ($id === '') {
            return;
        }
        $cmd = cmd::byId(trim($id, '#'));
        if (!is_object($cmd)) {
            throw new Exception(__('la commande choisie n\'existe plus', __FILE__));
        }
        log::add('jeenergie', 'info', sprintf(
            '%s : %s -> %s',
            $eqLogic->getHumanName(),
            $event['name'],
            $cmd->getHumanName()
        ));
        $cmd->execCmd(self::options($cmd, $event));
    }

    /** Options for the chosen command, by its subtype; the value is 0 if the daemon has sent none. */
    private static function options(cmd $cmd, array $event): ?array
    {
        $value = $event['value'] ?? 0;
        switch ($cmd->getSubType()) {
            case 'slider':
            case 'select':
                return [$cmd->getSubType() => $value];
            case 'message':
                return ['title' => $event['name'], 'message' => (string) $value];
            default:
                return null;
        }
    }

    /** "#id#" of the chosen command, a setting of the equipment or of its connection; '' if none. */
    private static function command(jeenergie $eqLogic, string $name): string
    {
        $settings = $eqLogic->settings();
        return (string) ($settings[$name] ?? $settings['connection.' . $name] ?? '');
    }
}
