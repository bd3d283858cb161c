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
use Jeenergie\Storage\Lock;
use Jeenergie\Storage\Notes;
use log;
use plugin;
use utils;

/**
 * Asks the daemon what a connection leads to, and makes equipment of it.
 */
final class Discovery
{
    private const SECONDS_TO_START = 20;

    /** A connection as a form has it, saved or not; the secrets that the form leaves empty are the saved ones. */
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

    /** @return array {identity, text} who answered */
    public static function test(jeenergie $connection): array
    {
        return Socket::request('test', ['connection' => self::definition($connection)]);
    }

    /** @return array[] {type, typeName, key, name, config, active, known: id of the equipment that is there or null} */
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
                    'known' => $known[$each['type'] . ' ' . $each['key']] ?? null,
                ];
            }
        }
        return $found;
    }

    /** @return string the daemon's text: what the operation has done */
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
     * Makes equipment of what was found and is not there yet; one that fails does not stand in the others' way.
     *
     * @param array[] $found {type, key, name, config}
     * @return jeenergie[] created
     */
    public static function createAll(jeenergie $connection, array $found): array
    {
        $created = [];
        $failure = null;
        foreach ($found as $each) {
            try {
                // The search after the first save and the user's own may come to this at the same time.
                $created[] = Lock::during('equipment', fn(): ?jeenergie =>
                    isset(self::known($connection)[$each['type'] . ' ' . $each['key']]) ? null : self::create(
                        $connection,
                        (string) $each['type'],
                        (string) $each['key'],
                        (string) ($each['name'] ?? ''),
                        jeenergie::dictionary($each['config'] ?? null)
                    ));
            } catch (Exception $error) {
                $failure = $failure ?? $error;
            }
        }
        self::handOver($connection);
        if ($failure !== null) {
            throw $failure;
        }
        return array_values(array_filter($created));
    }

    /**
     * Brings what only discovery can tell (read-only settings) up to date where it has changed since.
     *
     * @param array[] $found {type, key, config}
     * @return string[] ids of the equipment that was changed
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
     * Removes equipment of this connection, with its commands and their history; others' is left alone.
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

    /** Makes one equipment, in the object of its connection, enabled if that is. */
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
        $equipment->setIsVisible(1);
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

    /** After the save of an enabled connection: starts the daemon and looks for equipment, without keeping the user waiting. */
    public static function scheduleWelcome(jeenergie $connection): void
    {
        // 0 as well while the core activates the plugin, when nothing is ready for the daemon yet.
        $automatic = config::byKey('deamonAutoMode', 'jeenergie', 1) == 1;
        if ($automatic && (!Daemon::isRunning() || self::isWanted($connection))) {
            utils::executeAsync('jeenergie', 'welcome', ['connection' => (string) $connection->getId()]);
        }
    }

    /** What scheduleWelcome() runs in the background. */
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
            self::tell($connection, 0, 'warning', $connection->getName() . ' : ' . $error->getMessage());
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
        self::tell($connection, count($created), 'success', sprintf(
            __('« %s » : %d équipement(s) créé(s).', __FILE__),
            $connection->getName(),
            count($created)
        ));
    }

    /** Whether equipment is to be looked for by itself: at first, and when a setting has done away with some types. */
    private static function isWanted(jeenergie $connection): bool
    {
        return Catalogue::of($connection->backend())['discover'] === 'auto'
            && (Notes::of($connection, Notes::DISCOVERED) === [] || self::outdated($connection) !== []);
    }

    /** @return jeenergie[] equipment of a type that the connection's settings exclude */
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

    /** Commands of excluded equipment go, with their history, to the equipment that now has them; what is empty goes. */
    private static function handOver(jeenergie $connection): void
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
        for ($end = time() + self::SECONDS_TO_START; time() < $end; usleep(200000)) {
            if (Daemon::isRunning()) {
                return true;
            }
        }
        return false;
    }

    /** Ids of the equipment that is there, by "type key". */
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

    private static function tell(jeenergie $connection, int $created, string $level, string $text): void
    {
        $news = ['created' => $created, 'level' => $level, 'text' => $text];
        News::tell('equipment', (string) $connection->getId(), ['created'], $news);
    }
}
