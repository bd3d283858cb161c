<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/**
 * A threshold was crossed: the command that the user chose for it is run, in the background.
 */
final class jeenergieTrigger
{
    /** @param array $event {equipment, name: key of the field that holds the command, value, at, expires} */
    public static function schedule(jeenergie $eqLogic, array $event): void
    {
        if (self::command($eqLogic, (string) $event['name']) === '') {
            return;
        }
        utils::executeAsync('jeenergie', 'runTrigger', array_intersect_key(
            $event,
            array_flip(['equipment', 'name', 'value', 'at', 'expires'])
        ));
    }

    /** What schedule() runs in the background. */
    public static function run(array $event): void
    {
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
        $id = self::command($eqLogic, (string) $event['name']);
        $cmd = cmd::byId(trim($id, '#'));
        if (!is_object($cmd)) {
            throw new Exception(sprintf(
                __('%s : la commande choisie pour « %s » n\'existe plus.', __FILE__),
                $eqLogic->getHumanName(),
                $event['name']
            ));
        }
        log::add('jeenergie', 'info', sprintf(
            '%s : %s -> %s',
            $eqLogic->getHumanName(),
            $event['name'],
            $cmd->getHumanName()
        ));
        $cmd->execCmd(self::options($cmd, $event));
    }

    /** What the chosen command can make use of. */
    private static function options(cmd $cmd, array $event): ?array
    {
        switch ($cmd->getSubType()) {
            case 'slider':
            case 'select':
                return [$cmd->getSubType() => $event['value']];
            case 'message':
                return ['title' => $event['name'], 'message' => (string) $event['value']];
            default:
                return null;
        }
    }

    /** "#id#" of the chosen command: a setting of the equipment, or of its connection. */
    private static function command(jeenergie $eqLogic, string $name): string
    {
        $settings = $eqLogic->settings();
        return (string) ($settings[$name] ?? $settings['connection.' . $name] ?? '');
    }
}
