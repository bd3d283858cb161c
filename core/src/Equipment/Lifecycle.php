<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use DB;
use Exception;
use jeenergie;
use jeeObject;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Energy\Automatic;
use Jeenergie\Energy\Readings;
use Jeenergie\Storage\Notes;
use log;
use message;

/**
 * Checks and side effects of saving and removing a connection or an equipment.
 */
final class Lifecycle
{
    private const MAX_LOGICAL_ID_CHARS = 127;

    /** @var string[][] ids of the commands on the page when it was saved, by eqLogic id */
    private static $shown = [];

    /** @var true[] connections placed in an object for the first time by the save under way, by id */
    private static $placed = [];

    public static function beforeSave(jeenergie $eqLogic): void
    {
        $before = $eqLogic->getId() == '' ? null : jeenergie::byId($eqLogic->getId());
        if ($before === null) {
            // A copy carries the original's notes.
            if ($eqLogic->isConnection() && $eqLogic->getLogicalId() != '') {
                // Enabled, it would discover the original's equipment a second time.
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
            Automatic::afterSave($eqLogic);
            Readings::changed($eqLogic);
            return;
        }
        if (isset(self::$placed[$eqLogic->getId()])) {
            unset(self::$placed[$eqLogic->getId()]);
            self::moveEquipmentToObject($eqLogic);
        }
        if ($eqLogic->getIsEnable() == 1) {
            self::enableWaiting($eqLogic);
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

    /** The parent object to propose: the one that there is; null if there are none or several. */
    public static function onlyObject(): ?string
    {
        $objects = jeeObject::all();
        return count($objects) === 1 ? (string) $objects[0]->getId() : null;
    }

    /**
     * Changes the equipment of a connection. Each is read again first: a loop over many of them takes a while.
     *
     * @param callable $change (jeenergie): bool, whether the equipment must be saved
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
     * Removes the equipment of a connection with it, or refuses.
     *
     * @return callable to call after the eqLogic has been removed
     * @throws Exception if the connection is in use and its system forbids the removal
     */
    public static function beforeRemove(jeenergie $eqLogic): callable
    {
        $id = (string) $eqLogic->getId();
        if (!$eqLogic->isConnection()) {
            return static function () use ($id, $eqLogic): void {
                Notes::remove($id);
                Readings::changed($eqLogic);
                DesiredState::changed();
            };
        }
        $equipment = $eqLogic->equipment();
        if ($equipment !== [] && self::refusesRemovalInUse($eqLogic->backend())) {
            throw new Exception(sprintf(
                __('« %s » ne peut pas être supprimé : il est utilisé par %s.', __FILE__),
                $eqLogic->getName(),
                implode(', ', array_map(
                    fn(jeenergie $each): string => sprintf(__('« %s »', __FILE__), $each->getName()),
                    $equipment
                ))
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

    /** True if the command was created while the page that is being saved was open. */
    public static function isUnknownToPage($eqLogicId, $cmdId): bool
    {
        return isset(self::$shown[$eqLogicId]) && !in_array((string) $cmdId, self::$shown[$eqLogicId], true);
    }

    /** The page posts with each save which commands it shows; this is used during the request and not stored. */
    private static function takeShownCommands(jeenergie $eqLogic): void
    {
        $shown = $eqLogic->getConfiguration('shownCommands', null);
        if ($shown !== null) {
            $ids = is_array($shown) ? $shown : array_filter(explode(',', (string) $shown));
            self::$shown[$eqLogic->getId()] = array_map('strval', $ids);
            $eqLogic->setConfiguration('shownCommands', null);
        }
    }

    /** The database also refuses two equal names in an object, with an error that is not written for users. */
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
            self::$placed[$eqLogic->getId()] = true;
        }
        $eqLogic->setLogicalId('connection::' . $eqLogic->backend());
        SettingsForm::merge($eqLogic, $before);
        $enabled = $eqLogic->getIsEnable() == 1;
        SettingsForm::check($eqLogic, [], $enabled);
        if ($enabled) {
            // Set by the core at a deactivation, see mayBeEnabled(); done with.
            $eqLogic->setConfiguration('previousIsEnable', null);
            self::verify($eqLogic, $before, $part);
        }
    }

    /** Enables the equipment that is off only because its connection was; what the user disabled stays off. */
    private static function enableWaiting(jeenergie $connection): void
    {
        self::changeEquipment($connection, static function (jeenergie $equipment): bool {
            $waits = $equipment->getConfiguration('waits') == 1;
            if ($waits) {
                $equipment->setIsEnable(1);
            }
            return $waits;
        });
    }

    /** Equipment without an object is on no dashboard: it follows its connection into the connection's first object. */
    public static function moveEquipmentToObject(jeenergie $connection): void
    {
        self::changeEquipment($connection, static function (jeenergie $equipment) use ($connection): bool {
            $isUnplaced = $equipment->getObject_id() == '';
            if ($isUnplaced) {
                $equipment->setObject_id($connection->getObject_id());
                $equipment->setName(Names::ofEqLogic($equipment));
            }
            return $isUnplaced;
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
        SettingsForm::merge($eqLogic, $before);
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
        SettingsForm::check($eqLogic, $context, $enabled);
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
        if (strlen($logicalId) > self::MAX_LOGICAL_ID_CHARS) {
            $logicalId = substr($logicalId, 0, self::MAX_LOGICAL_ID_CHARS - 41) . '#' . sha1($logicalId);
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

    /** Logs in with changed settings where the catalogue asks for it. An unreachable vendor does not block the save. */
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
     * True if the connection is enabled, or is about to be: when the plugin is activated again, the core enables all
     * eqLogics in the order of their names, so that an equipment may come before its connection.
     */
    private static function mayBeEnabled(jeenergie $connection): bool
    {
        return $connection->getIsEnable() == 1 || $connection->getConfiguration('previousIsEnable') == 1;
    }
}
