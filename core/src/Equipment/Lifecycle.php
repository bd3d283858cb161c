<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use DB;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Storage\Notes;
use jeenergieCmd;
use log;
use message;

/**
 * What happens around the save and the removal of a connection or an equipment.
 */
final class Lifecycle
{
    private const LOGICAL_ID_LENGTH = 127;

    /** Ids of the commands that the page showed when it was saved, by eqLogic id. */
    private static $shown = [];

    /** Connections that are being given their first object, by id. */
    private static $housed = [];

    public static function beforeSave(jeenergie $eqLogic): void
    {
        $before = $eqLogic->getId() == '' ? null : jeenergie::byId($eqLogic->getId());
        if ($before === null) {
            // A copy brings the original's along.
            if ($eqLogic->isConnection() && $eqLogic->getLogicalId() != '') {
                // Started as it is, it would find all the original's equipment a second time.
                $eqLogic->setIsEnable(0);
            }
            $eqLogic->setConfiguration('commandsKnown', null);
            $eqLogic->setConfiguration('discovered', null);
        } else {
            Notes::takeOver($eqLogic);
        }
        self::takeShownCommands($eqLogic);
        self::checkName($eqLogic, $before);
        if ($eqLogic->isConnection()) {
            self::beforeConnection($eqLogic, $before);
        } elseif ($eqLogic->getConfiguration('kind') === 'equipment') {
            self::beforeEquipment($eqLogic, $before);
        } else {
            throw new Exception(__('Ajoutez une connexion ou un équipement depuis la page du plugin.', __FILE__));
        }
        if ($before === null && $eqLogic->getCategory() === []) {
            $part = Catalogue::part($eqLogic->backend(), $eqLogic->type());
            $eqLogic->setCategory($part['category'] ?? 'energy', 1);
        }
    }

    public static function afterSave(jeenergie $eqLogic): void
    {
        Commands::apply($eqLogic);
        DesiredState::changed();
        if (!$eqLogic->isConnection()) {
            return;
        }
        if (isset(self::$housed[$eqLogic->getId()])) {
            unset(self::$housed[$eqLogic->getId()]);
            self::houseEquipment($eqLogic);
        }
        if ($eqLogic->getIsEnable() == 1) {
            self::startWaiting($eqLogic);
            Discovery::scheduleWelcome($eqLogic);
            return;
        }
        self::changeEquipment($eqLogic, static function (jeenergie $equipment): bool {
            $isOn = $equipment->getIsEnable() == 1;
            if ($isOn) {
                $equipment->setConfiguration('waits', 1);
                $equipment->setIsEnable(0);
            }
            return $isOn;
        });
    }

    /**
     * Changes the equipment of a connection, each as it is at that moment: to change many of them takes a while.
     *
     * @param callable $change of an equipment; returns whether it is to be saved
     */
    private static function changeEquipment(jeenergie $connection, callable $change): void
    {
        foreach ($connection->equipment() as $each) {
            $equipment = jeenergie::byId($each->getId());
            try {
                if ($equipment instanceof jeenergie && $change($equipment)) {
                    $equipment->save();
                }
            } catch (Exception $error) {
                log::add('jeenergie', 'warning', $each->getHumanName() . ' : ' . $error->getMessage());
            }
        }
    }

    /**
     * Refuses a removal, or removes what goes with it.
     *
     * @return callable to be called once the eqLogic is gone
     */
    public static function beforeRemove(jeenergie $eqLogic): callable
    {
        $id = (string) $eqLogic->getId();
        if (!$eqLogic->isConnection()) {
            return static function () use ($id): void {
                Notes::remove($id);
                DesiredState::changed();
            };
        }
        $equipment = $eqLogic->equipment();
        if ($equipment !== [] && self::refusesRemovalInUse($eqLogic->backend())) {
            throw new Exception(sprintf(
                __('« %s » ne peut pas être supprimé : il est utilisé par %s.', __FILE__),
                $eqLogic->getName(),
                implode(', ', array_map(fn(jeenergie $each): string => '« ' . $each->getName() . ' »', $equipment))
            ));
        }
        foreach ($equipment as $each) {
            $each->remove();
        }
        return static function () use ($id): void {
            Notes::remove($id);
            message::removeAll('jeenergie', State::messageId($id));
            DesiredState::forget($id);
        };
    }

    private static function refusesRemovalInUse(string $backend): bool
    {
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS) as $caller) {
            if (($caller['class'] ?? '') === 'update' && $caller['function'] === 'deleteObjet') {
                return false; // the plugin itself is being removed, with everything, in the order of the names
            }
        }
        return in_array($backend, Catalogue::backends(), true)
            && (Catalogue::part($backend, null)['inUse'] ?? 'refuse') === 'refuse';
    }

    /** Whether a command came to be while the page that is being saved was open. */
    public static function isUnknownToPage($eqLogicId, $cmdId): bool
    {
        return isset(self::$shown[$eqLogicId]) && !in_array((string) $cmdId, self::$shown[$eqLogicId], true);
    }

    /** The page tells with each save which commands it shows; that is not kept. */
    private static function takeShownCommands(jeenergie $eqLogic): void
    {
        $shown = $eqLogic->getConfiguration('shownCommands', null);
        if ($shown !== null) {
            $ids = is_array($shown) ? $shown : array_filter(explode(',', (string) $shown));
            self::$shown[$eqLogic->getId()] = array_map('strval', $ids);
            $eqLogic->setConfiguration('shownCommands', null);
        }
    }

    /** The database refuses two of the same name in an object, with a text that is not for a user. */
    private static function checkName(jeenergie $eqLogic, ?jeenergie $before): void
    {
        $place = [(string) $eqLogic->getObject_id(), (string) $eqLogic->getName()];
        $isThere = $before !== null && $place === [(string) $before->getObject_id(), (string) $before->getName()];
        if ($place[0] === '' || $isThere) {
            return;
        }
        $same = DB::Prepare(
            'SELECT `id` FROM `eqLogic` WHERE `object_id` = :place AND `name` = :name AND `id` != :id',
            ['place' => $place[0], 'name' => $place[1], 'id' => (int) $eqLogic->getId()],
            DB::FETCH_TYPE_ALL
        );
        if ($same !== []) {
            throw new Exception(sprintf(
                __('Un équipement de cet objet s\'appelle déjà « %s » : choisissez un autre nom.', __FILE__),
                $eqLogic->getName()
            ));
        }
    }

    private static function beforeConnection(jeenergie $eqLogic, ?jeenergie $before): void
    {
        $part = Catalogue::part($eqLogic->backend(), null);
        if ($before !== null && $before->backend() !== $eqLogic->backend()) {
            throw new Exception(__('Le système d\'une connexion ne peut pas être changé.', __FILE__));
        }
        if ($before !== null && !empty($part['nameLocked']) && $before->getName() !== $eqLogic->getName()) {
            throw new Exception(__('Une fois enregistré, ce nom ne peut plus être modifié.', __FILE__));
        }
        foreach (jeenergie::connections() as $other) {
            if (
                $other->getId() != $eqLogic->getId() && $other->backend() === $eqLogic->backend()
                && mb_strtolower($other->getName()) === mb_strtolower($eqLogic->getName())
            ) {
                throw new Exception(sprintf(
                    __('« %s » existe déjà : choisissez un autre nom.', __FILE__),
                    $other->getName()
                ));
            }
        }
        if ($before !== null && $before->getObject_id() == '' && $eqLogic->getObject_id() != '') {
            self::$housed[$eqLogic->getId()] = true;
        }
        $eqLogic->setLogicalId('connection::' . $eqLogic->backend());
        self::mergeSettings($eqLogic, $before);
        $enabled = $eqLogic->getIsEnable() == 1;
        self::checkSettings($eqLogic, [], $enabled);
        if ($enabled) {
            // See mayBeEnabled(): from now on only what the user does counts.
            $eqLogic->setConfiguration('previousIsEnable', null);
            self::verify($eqLogic, $before, $part);
        }
    }

    /** What its connection has switched off, or was created while that was off, has not been disabled by anybody. */
    private static function startWaiting(jeenergie $connection): void
    {
        self::changeEquipment($connection, static function (jeenergie $equipment): bool {
            $waits = $equipment->getConfiguration('waits') == 1;
            if ($waits) {
                $equipment->setIsEnable(1);
            }
            return $waits;
        });
    }

    /** Equipment without an object is on no dashboard: it follows its connection into the first one. */
    private static function houseEquipment(jeenergie $connection): void
    {
        self::changeEquipment($connection, static function (jeenergie $equipment) use ($connection): bool {
            $isHomeless = $equipment->getObject_id() == '';
            if ($isHomeless) {
                $equipment->setObject_id($connection->getObject_id());
                $equipment->setName(Names::ofEqLogic($equipment));
            }
            return $isHomeless;
        });
    }

    private static function beforeEquipment(jeenergie $eqLogic, ?jeenergie $before): void
    {
        $connection = $eqLogic->connection();
        if ($connection === null || !$connection->isConnection()) {
            throw new Exception(__('Choisissez la connexion de cet équipement.', __FILE__));
        }
        $eqLogic->setConfiguration('connection', (string) $connection->getId());
        if ($before !== null) {
            self::checkMove($eqLogic, $before, $connection);
        }
        $eqLogic->setConfiguration('backend', $connection->backend());
        $type = Catalogue::translated($connection->backend())['equipment'][$eqLogic->type()] ?? null;
        if ($type === null) {
            throw new Exception(__('Choisissez le type de cet équipement.', __FILE__));
        }
        $eqLogic->setConfiguration('key', trim($eqLogic->key()));
        if ($eqLogic->key() === '') {
            throw new Exception(sprintf(
                __('Renseignez le champ « %s ».', __FILE__),
                $type['keyLabel'] ?? __('Identifiant', __FILE__)
            ));
        }
        self::checkUnique($eqLogic, $connection);
        self::mergeSettings($eqLogic, $before);
        $enabled = $eqLogic->getIsEnable() == 1;
        if ($enabled) {
            $eqLogic->setConfiguration('waits', null);
        } elseif ($before === null) {
            $eqLogic->setConfiguration('waits', $connection->getIsEnable() != 1 ? 1 : null);
        }
        if ($enabled && !self::mayBeEnabled($connection)) {
            throw new Exception(sprintf(
                __('Activez d\'abord « %s » : cet équipement en dépend.', __FILE__),
                $connection->getName()
            ));
        }
        $context = array_diff_key($eqLogic->settings(), $eqLogic->config());
        self::checkSettings($eqLogic, $context, $enabled);
    }

    private static function checkMove(jeenergie $eqLogic, jeenergie $before, jeenergie $connection): void
    {
        if ($before->backend() !== $connection->backend()) {
            throw new Exception(sprintf(
                __('« %s » n\'est pas du même système que cet équipement.', __FILE__),
                $connection->getName()
            ));
        }
        $moved = $before->getConfiguration('connection') != $connection->getId();
        $part = Catalogue::part($before->backend(), $before->type());
        if ($moved && empty($part['movable'])) {
            throw new Exception(__('Cet équipement ne peut pas changer de connexion.', __FILE__));
        }
        if ($before->type() !== $eqLogic->type()) {
            throw new Exception(__('Le type d\'un équipement ne peut pas être changé.', __FILE__));
        }
    }

    private static function checkUnique(jeenergie $eqLogic, jeenergie $connection): void
    {
        $logicalId = $connection->getId() . '::' . $eqLogic->type() . '::' . $eqLogic->key();
        if (strlen($logicalId) > self::LOGICAL_ID_LENGTH) {
            $logicalId = substr($logicalId, 0, self::LOGICAL_ID_LENGTH - 41) . '#' . sha1($logicalId);
        }
        foreach ($connection->equipment() as $other) {
            if ($other->getId() != $eqLogic->getId() && $other->getLogicalId() === $logicalId) {
                throw new Exception(sprintf(
                    __('Cet équipement existe déjà sous le nom « %s ».', __FILE__),
                    $other->getName()
                ));
            }
        }
        $eqLogic->setLogicalId($logicalId);
    }

    /** Settings that a form has not sent stay as they are; so does a secret that it has left empty. */
    public static function mergeSettings(jeenergie $eqLogic, ?jeenergie $before): void
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

    /** Whoever may change an address must not get what was entered for another one: a saved secret stays where it was. */
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
                $names = array_map(fn(string $key): string => '« ' . $labels[$key] . ' »', array_values($missing));
                throw new Exception(sprintf(
                    __('« %s » a changé : saisissez de nouveau %s, qui ne va à aucune autre adresse sans vous.', __FILE__),
                    $labels[$address],
                    implode(', ', $names)
                ));
            }
        }
    }

    /** The settings of a command: those of its catalogue row, typed. */
    public static function beforeCommand(jeenergieCmd $cmd): void
    {
        $eqLogic = $cmd->getEqLogic();
        $settings = jeenergie::dictionary($cmd->getConfiguration('settings'));
        if ($settings === [] || !$eqLogic instanceof jeenergie) {
            return;
        }
        $fields = Catalogue::commandFields($eqLogic->backend(), $eqLogic->type())[$cmd->getLogicalId()] ?? [];
        $errors = Settings::errors($fields, $settings, $eqLogic->settings(), false);
        if ($errors !== []) {
            throw new Exception($cmd->getName() . ' : ' . implode(' ', $errors));
        }
        $cmd->setConfiguration('settings', Settings::compact($fields, $settings));
    }

    public static function checkSettings(jeenergie $eqLogic, array $context, bool $complete): void
    {
        $errors = Settings::errors($eqLogic->fields(), $eqLogic->config(), $context, $complete);
        if ($errors !== []) {
            throw new Exception(implode(' ', $errors));
        }
    }

    /** Some systems want the account verified before it is saved; a vendor out of reach is no reason to refuse. */
    private static function verify(jeenergie $eqLogic, ?jeenergie $before, array $part): void
    {
        $known = $before !== null && $before->getIsEnable() == 1 && $before->config() === $eqLogic->config();
        if (empty($part['verify']) || $known || !Daemon::isRunning()) {
            return;
        }
        try {
            Discovery::test($eqLogic);
        } catch (Refusal $refusal) {
            if ($refusal->reason() === 'authentication_failed') {
                throw $refusal;
            }
        }
    }

    /**
     * An equipment needs an enabled connection. When the plugin is activated again the core enables all eqLogics
     * in the order of their names, so an equipment may come before its connection, which is then about to be enabled.
     */
    private static function mayBeEnabled(jeenergie $connection): bool
    {
        return $connection->getIsEnable() == 1 || $connection->getConfiguration('previousIsEnable') == 1;
    }
}
