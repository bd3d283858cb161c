<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Equipment;

use config;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Daemon\Socket;
use Jeenergie\Pages\News;
use Jeenergie\Pages\Plural;
use Jeenergie\Storage\Lock;
use Jeenergie\Storage\Notes;
use log;
use plugin;
use utils;

/**
 * Asks the daemon which equipment a connection gives access to, and creates it in Jeedom.
 */
final class Discovery
{
    private const MAX_START_S = 20;

    /** A long list takes seconds to create: the daemon hears of it meanwhile, after the first and every fifth after it. */
    private const TOLD_EVERY = 5;

    /** An unsaved connection with the settings of a form; secrets that the form leaves empty are the saved ones. */
    public static function fromForm(array $form): jeenergie
    {
        $saved = empty($form['id']) ? null : jeenergie::byId($form['id']);
        $connection = is_object($saved) ? clone $saved : new jeenergie();
        if (!is_object($saved)) {
            $connection->setConfiguration('kind', 'connection');
            $connection->setConfiguration('backend', (string) ($form['backend'] ?? ''));
        }
        $connection->setName($form['name'] ?? $connection->getName());
        $connection->setConfiguration('config', jeenergie::dictionary($form['config'] ?? null));
        SettingsForm::merge($connection, is_object($saved) ? $saved : null);
        SettingsForm::check($connection, [], true);
        return $connection;
    }

    /** @return array {identity, text}: who has answered */
    public static function test(jeenergie $connection): array
    {
        return Socket::request('test', ['connection' => self::definition($connection)]);
    }

    /** @return array[] {type, typeName, key, shownKey, name, config, active, known: id of the existing equipment or null} */
    public static function discover(jeenergie $connection): array
    {
        $result = Socket::request('discover', ['connection' => self::definition($connection)]);
        $types = Catalogue::translated($connection->backend())['equipment'];
        $known = self::known($connection);
        $found = [];
        foreach (jeenergie::dictionary($result['equipment'] ?? null) as $each) {
            if (isset($types[$each['type']])) {
                $found[] = $each + [
                    'typeName' => $types[$each['type']]['name'],
                    'shownKey' => ShownKey::ofFound(
                        $types[$each['type']],
                        (string) $each['key'],
                        jeenergie::dictionary($each['config'] ?? null)
                    ),
                    'known' => $known[$each['type'] . ' ' . $each['key']] ?? null,
                ];
            }
        }
        return $found;
    }

    /** @return string the daemon's report of what the operation has done */
    public static function run(jeenergie $connection, string $operation, array $options): string
    {
        $result = Socket::request('run', [
            'connection' => self::definition($connection),
            'operation' => $operation,
            'options' => (object) $options,
        ]);
        return (string) ($result['text'] ?? '');
    }

    /**
     * Creates equipment that was found and does not exist yet. If some fail, the others are created all the same.
     *
     * @param array[] $found {type, key, name, config}
     * @return jeenergie[] created
     * @throws Exception the first failure, after all have been tried
     */
    public static function createAll(jeenergie $connection, array $found): array
    {
        $created = [];
        $failure = null;
        foreach ($found as $each) {
            try {
                // Under a lock: the search after the first save and the user's own may run at the same time.
                $created[] = Lock::during('equipment', fn(): ?jeenergie =>
                    isset(self::known($connection)[$each['type'] . ' ' . $each['key']]) ? null : self::create(
                        $connection,
                        (string) $each['type'],
                        (string) $each['key'],
                        (string) ($each['name'] ?? ''),
                        jeenergie::dictionary($each['config'] ?? null)
                    ));
                if (count($created) % self::TOLD_EVERY === 1) {
                    DesiredState::flush();
                }
            } catch (Exception $error) {
                $failure = $failure ?? $error;
            }
        }
        self::moveCommandsOfExcluded($connection);
        if ($failure !== null) {
            throw $failure;
        }
        return array_values(array_filter($created));
    }

    /**
     * Updates settings that only discovery can supply (read-only ones) where they have changed.
     *
     * @param array[] $found {type, key, config}
     * @return string[] ids of the changed equipment
     */
    public static function updateAll(jeenergie $connection, array $found): array
    {
        $known = self::known($connection);
        $updated = [];
        foreach ($found as $each) {
            $id = $known[$each['type'] . ' ' . $each['key']] ?? null;
            $fields = Catalogue::part($connection->backend(), (string) $each['type'])['fields'] ?? [];
            $told = array_intersect_key(
                jeenergie::dictionary($each['config'] ?? null),
                Settings::byKey(array_filter($fields, fn(array $field): bool => $field['readonly'] ?? false))
            );
            $equipment = $id === null || $told === [] ? null : jeenergie::byId($id);
            if (!is_object($equipment)) {
                continue;
            }
            if (array_diff_assoc($told, array_intersect_key($equipment->config(), $told)) !== []) {
                $stored = jeenergie::dictionary($equipment->getConfiguration('config'));
                $equipment->setConfiguration('config', array_merge($stored, $told));
                $equipment->save();
                $updated[] = $id;
            }
        }
        return $updated;
    }

    /**
     * Removes equipment of this connection with its commands and history; ids of other connections are ignored.
     *
     * @param string[] $ids
     * @return string[] ids removed
     */
    public static function removeAll(jeenergie $connection, array $ids): array
    {
        $removed = [];
        foreach ($connection->equipment() as $each) {
            $id = (string) $each->getId();
            if (in_array($id, $ids, true)) {
                $each->remove();
                $removed[] = $id;
            }
        }
        return $removed;
    }

    /** Creates a piece of equipment in the object of its connection, enabled if the connection is. */
    public static function create(
        jeenergie $connection,
        string $type,
        string $key,
        string $name,
        array $config = []
    ): jeenergie {
        $catalogue = Catalogue::translated($connection->backend());
        if (!isset($catalogue['equipment'][$type])) {
            throw new Exception(sprintf(__('Le type d\'équipement « %s » est inconnu du plugin.', __FILE__), $type));
        }
        $equipment = new jeenergie();
        $equipment->setEqType_name('jeenergie');
        $equipment->setObject_id($connection->getObject_id());
        $equipment->setName($name);
        if ($equipment->getName() == '') {
            $name = $catalogue['equipment'][$type]['name'] . ' ' . $key;
            $equipment->setName($name . ' (' . $connection->getName() . ')');
        }
        $equipment->setIsEnable((int) $connection->getIsEnable());
        $equipment->setIsVisible((int) ($catalogue['equipment'][$type]['visible'] ?? true));
        $equipment->setConfiguration('kind', 'equipment');
        $equipment->setConfiguration('connection', (string) $connection->getId());
        $equipment->setConfiguration('type', $type);
        $equipment->setConfiguration('key', $key);
        $equipment->setConfiguration('config', $config);
        return Lock::during('equipment', static function () use ($equipment): jeenergie {
            $equipment->setName(Names::ofEqLogic($equipment));
            $equipment->save();
            return $equipment;
        });
    }

    /** After the save of an enabled connection: starts the daemon and discovers equipment in the background. */
    public static function scheduleWelcome(jeenergie $connection): void
    {
        // Also 0 while the core activates the plugin, when the daemon cannot be started yet.
        $automatic = config::byKey('deamonAutoMode', 'jeenergie', 1) == 1;
        $isWanted = self::isWanted($connection);
        if (Daemon::isRunning() ? $isWanted : $automatic) {
            utils::executeAsync('jeenergie', 'welcome', ['connection' => (string) $connection->getId()]);
        } elseif ($isWanted && !$automatic) {
            self::publish($connection, 0, 'warning', sprintf(
                __('Le démon est arrêté et Jeedom ne le démarre pas de lui-même : démarrez-le, puis synchronisez « %s ».', __FILE__),
                $connection->getName()
            ));
        }
    }

    /** Discovers in the background the equipment of a connection of which none has been discovered yet. */
    public static function scheduleIfNew(jeenergie $connection): void
    {
        if (self::isWanted($connection)) {
            self::scheduleWelcome($connection);
        }
    }

    /** The background part of scheduleWelcome() and scheduleIfNew(). */
    public static function welcome(string $id): void
    {
        $connection = jeenergie::byId($id);
        if (!is_object($connection) || $connection->getIsEnable() != 1 || !self::startDaemon()) {
            return;
        }
        try {
            DesiredState::send();
            if (self::isWanted($connection)) {
                self::discoverFirst($connection);
            }
        } catch (Exception $error) {
            log::add('jeenergie', 'warning', sprintf(
                __('La recherche des équipements de « %s » a échoué : %s', __FILE__),
                $connection->getName(),
                $error->getMessage()
            ));
            self::publish($connection, 0, 'warning', sprintf(__('%1$s : %2$s', __FILE__), $connection->getName(), $error->getMessage()));
        }
    }

    private static function discoverFirst(jeenergie $connection): void
    {
        $found = self::discover($connection);
        $created = self::createAll(
            $connection,
            array_filter($found, fn(array $each): bool => $each['active'] ?? true) // carries data
        );
        if ($found === []) {
            return;
        }
        Notes::add($connection, Notes::DISCOVERED, ['1']);
        DesiredState::send();
        self::publish($connection, count($created), 'success', sprintf(
            Plural::of(__('« %s » : %d équipement créé.|« %s » : %d équipements créés.', __FILE__), count($created)),
            $connection->getName(),
            count($created)
        ));
    }

    /** True if equipment is to be discovered automatically: at first, and when a setting has excluded some types. */
    private static function isWanted(jeenergie $connection): bool
    {
        return Catalogue::of($connection->backend())['discover'] === 'auto'
            && (Notes::of($connection, Notes::DISCOVERED) === [] || self::outdated($connection) !== []);
    }

    /** @return jeenergie[] equipment whose type the connection's settings exclude */
    private static function outdated(jeenergie $connection): array
    {
        $settings = $connection->config();
        return array_filter(
            $connection->equipment(),
            fn(jeenergie $each): bool => !Settings::holds(
                Catalogue::part($each->backend(), $each->type())['when'] ?? [],
                $settings
            )
        );
    }

    /** Moves commands of excluded equipment, with history, to the equipment that has them now; removes what is empty. */
    private static function moveCommandsOfExcluded(jeenergie $connection): void
    {
        $outdated = self::outdated($connection);
        $present = array_udiff(
            $connection->equipment(),
            $outdated,
            fn(jeenergie $a, jeenergie $b): int => $a->getId() <=> $b->getId()
        );
        foreach ($outdated as $old) {
            foreach ($present as $new) {
                if ($new->key() === $old->key()) {
                    Commands::move($old, $new);
                }
            }
            if (array_diff(array_keys(Commands::existing($old)), ['refresh']) === []) {
                $old->remove();
            }
        }
    }

    private static function startDaemon(): bool
    {
        if (Daemon::isRunning()) {
            return true;
        }
        plugin::byId('jeenergie')->deamon_start(false, true);
        for ($end = time() + self::MAX_START_S; time() < $end; usleep(200000)) {
            if (Daemon::isRunning()) {
                return true;
            }
        }
        return false;
    }

    /** Ids of existing equipment by "<type> <key>". */
    private static function known(jeenergie $connection): array
    {
        $known = [];
        foreach ($connection->equipment() as $each) {
            $known[$each->type() . ' ' . $each->key()] = (string) $each->getId();
        }
        return $known;
    }

    private static function definition(jeenergie $connection): array
    {
        $definition = DesiredState::connection($connection, $connection->equipment(), []);
        return ['id' => $definition['id'] === '' ? 'new' : $definition['id']] + $definition;
    }

    private static function publish(jeenergie $connection, int $created, string $level, string $text): void
    {
        $news = ['created' => $created, 'level' => $level, 'text' => $text];
        News::publish('equipment', (string) $connection->getId(), ['created'], $news);
    }
}
