<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use cmd;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use jeenergieCmd;

/**
 * Settings as a form sends them: completed with what is saved, checked, and made ready to be stored.
 */
final class SettingsForm
{
    /** Completes what a form has sent: settings it left out, and secrets it left empty, keep their saved values. */
    public static function merge(jeenergie $eqLogic, ?jeenergie $before): void
    {
        $fields = $eqLogic->fields();
        $sent = jeenergie::dictionary($eqLogic->getConfiguration('config'));
        $saved = $before === null ? [] : jeenergie::dictionary($before->getConfiguration('config'));
        $secrets = $eqLogic->secrets() + ($before === null ? [] : $before->secrets());
        $entered = [];
        foreach (Settings::secretKeys($fields) as $key) {
            $value = is_scalar($sent[$key] ?? null) ? (string) $sent[$key] : '';
            if ($value !== '') {
                $secrets[$key] = $value;
                $entered[] = $key;
            }
            unset($sent[$key]);
        }
        $config = Settings::compact($fields, $sent + $saved);
        if ($before !== null) {
            self::askForMovedSecrets($fields, $saved, $config, $before->secrets(), $entered);
        }
        $eqLogic->setConfiguration('config', $config);
        $eqLogic->setConfiguration('secrets', $secrets === [] ? null : $secrets);
    }

    /**
     * Secrets are entered for one host. When an address is changed to another one they must be entered again, or whoever
     * may edit the address could have them sent to a server of their own.
     *
     * @param string[] $entered keys of the secrets that the form has sent
     */
    private static function askForMovedSecrets(
        array $fields,
        array $saved,
        array $config,
        array $secrets,
        array $entered
    ): void {
        $labels = array_column($fields, 'label', 'key');
        foreach (Settings::movedSecrets($fields, $saved, $config) as $address => $keys) {
            $missing = array_diff(array_intersect($keys, array_keys(array_filter($secrets))), $entered);
            if ($missing !== []) {
                $names = array_map(
                    fn(string $key): string => sprintf(__('« %s »', __FILE__), $labels[$key]),
                    array_values($missing)
                );
                throw new Exception(sprintf(
                    __('« %s » a changé : saisissez de nouveau %s. Rien de secret ne part vers une autre adresse sans vous.', __FILE__),
                    $labels[$address],
                    implode(', ', $names)
                ));
            }
        }
    }

    /** Checks the settings of a command against the fields of its catalogue row, and stores them typed. */
    public static function ofCommand(jeenergieCmd $cmd): void
    {
        $eqLogic = $cmd->getEqLogic();
        $settings = jeenergie::dictionary($cmd->getConfiguration('settings'));
        if ($settings === [] || !$eqLogic instanceof jeenergie) {
            return;
        }
        $fields = Catalogue::commandFields($eqLogic->backend(), $eqLogic->type())[$cmd->getLogicalId()] ?? [];
        $errors = Settings::errors($fields, $settings, $eqLogic->settings(), false);
        if ($errors !== []) {
            throw new Exception(sprintf(__('%1$s : %2$s', __FILE__), $cmd->getName(), implode(' ', $errors)));
        }
        $cmd->setConfiguration('settings', Settings::compact($fields, $settings));
    }

    /**
     * @param array $context settings that a "when" may read beside the own ones
     * @param bool $complete whether required settings must be there
     * @throws Exception with a sentence for each setting that is not valid
     */
    public static function check(jeenergie $eqLogic, array $context, bool $complete): void
    {
        $errors = Settings::errors($eqLogic->fields(), $eqLogic->enteredSettings(), $context, $complete);
        if ($errors !== []) {
            throw new Exception(implode(' ', $errors));
        }
        self::refuseOwnValues($eqLogic);
    }

    /** What a connection makes of its sources cannot be one of them: it would count itself, again and again. */
    private static function refuseOwnValues(jeenergie $eqLogic): void
    {
        $connection = $eqLogic->connection();
        foreach ($connection === null ? [] : $eqLogic->fields() as $field) {
            if (empty($field['listens'])) {
                continue;
            }
            $chosen = (string) ($eqLogic->enteredSettings()[$field['key']] ?? '');
            $cmd = cmd::byId(trim($chosen, '#'));
            $origin = is_object($cmd) && $cmd->getType() === 'info' ? $cmd->getEqLogic() : null;
            $maker = $origin instanceof jeenergie ? $origin->connection() ?? $origin : null;
            if ($maker !== null && $maker->getId() == $connection->getId()) {
                throw new Exception(sprintf(
                    __('« %s » est calculé par « %s » : choisissez la commande d\'un compteur.', __FILE__),
                    $cmd->getName(),
                    $connection->getName()
                ));
            }
        }
    }
}
