<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use config;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Equipment\Lifecycle;
use Jeenergie\Equipment\Nearby;
use Jeenergie\Equipment\ShownKey;
use Jeenergie\Equipment\State;
use Jeenergie\MoveIn\Background;
use Jeenergie\Storage\Notes;
use plugin;
use translate;

/**
 * The actions of core/ajax/jeenergie.ajax.php, which describes their requests and results; one method each.
 */
final class PageActions
{
    public static function catalogue(): array
    {
        $backends = [];
        foreach (Catalogue::backends() as $backend) {
            $backends[$backend] = Catalogue::translated($backend);
        }
        $states = [];
        foreach (array_keys(Catalogue::common()['states']) as $state) {
            $states[$state] = Catalogue::state($state);
        }
        return ['backends' => $backends, 'states' => $states];
    }

    public static function list(): array
    {
        return self::listOf(jeenergie::byType('jeenergie'));
    }

    /**
     * The result of list() for eqLogics that are loaded already.
     *
     * @param jeenergie[] $eqLogics all those of the plugin
     */
    public static function listOf(array $eqLogics): array
    {
        $connections = [];
        $equipment = [];
        $names = [];
        foreach ($eqLogics as $eqLogic) {
            $names[$eqLogic->getId()] = sanitizeAccent($eqLogic->getHumanName());
            if ($eqLogic->isConnection()) {
                $connections[$eqLogic->getId()] = self::summary($eqLogic) + ['equipment' => []];
            } else {
                $equipment[] = $eqLogic;
            }
        }
        // The core sorts by object and name too, but puts 101 before 2. É stands beside E.
        usort($equipment, fn($a, $b): int => strnatcasecmp($names[$a->getId()], $names[$b->getId()]));
        $orphans = [];
        foreach ($equipment as $each) {
            $parent = $each->getConfiguration('connection');
            if (isset($connections[$parent])) {
                $connections[$parent]['equipment'][] = self::summary($each);
            } else {
                $orphans[] = self::summary($each);
            }
        }
        $list = [
            'now' => date('Y-m-d H:i:s'),
            'daemon' => Health::readiness(),
            'connections' => array_values($connections),
            'orphans' => $orphans,
        ];
        return $list + ['firstSteps' => (object) FirstSteps::of($list)];
    }

    public static function get(array $request): array
    {
        $eqLogic = self::eqLogic($request['id'] ?? '');
        $rows = $eqLogic->rows();
        $fields = Catalogue::commandFields($eqLogic->backend(), $eqLogic->type());
        $commands = [];
        foreach (Commands::existing($eqLogic) as $logicalId => $cmd) {
            $commands[$cmd->getId()] = [
                'logicalId' => (string) $logicalId,
                'obsolete' => isset($fields[$logicalId]) && !isset($rows[$logicalId]),
                'settings' => $fields[$logicalId] ?? [],
                'cadence' => $rows[$logicalId]['cadence'] ?? 0,
            ];
        }
        $known = Notes::of($eqLogic, Notes::COMMANDS_KNOWN);
        $missing = [];
        foreach (Commands::missing($eqLogic) as $logicalId => $row) {
            $missing[] = [
                'logicalId' => (string) $logicalId,
                'name' => $row['name'],
                'create' => $row['create'] ?? 'always',
                'known' => in_array((string) $logicalId, $known, true),
            ];
        }
        $connection = $eqLogic->connection();
        return self::summary($eqLogic) + [
            'config' => self::withoutSecrets($eqLogic),
            'secretsSet' => array_keys(array_filter($eqLogic->secrets())),
            'connection' => $connection === null ? null : self::summary($connection)
                + ['config' => self::withoutSecrets($connection)],
            'commands' => (object) $commands,
            'missing' => $missing,
        ];
    }

    public static function addConnection(array $request): array
    {
        $connection = new jeenergie();
        $connection->setEqType_name('jeenergie');
        $connection->setName((string) ($request['name'] ?? ''));
        self::refuseEmptyName($connection);
        $connection->setIsEnable(0);
        $connection->setConfiguration('kind', 'connection');
        $connection->setConfiguration('backend', (string) ($request['backend'] ?? ''));
        $connection->setIsVisible((int) (Catalogue::part($connection->backend(), null)['visible'] ?? false));
        $connection->setObject_id(Lifecycle::onlyObject());
        $connection->setConfiguration('config', jeenergie::dictionary($request['config'] ?? null));
        $connection->save();
        FirstSteps::begin(jeenergie::connections());
        self::offerPanel();
        return ['id' => (string) $connection->getId()];
    }

    /** The core shows a plugin's panel in its menu where this is set: switched on once, and left to the user from then on. */
    private static function offerPanel(): void
    {
        foreach (['displayDesktopPanel', 'displayMobilePanel'] as $key) {
            if (config::byKey($key, 'jeenergie', '') === '') {
                config::save($key, 1, 'jeenergie');
            }
        }
    }

    public static function addByHand(array $request): array
    {
        $connection = self::connection($request['connection'] ?? '');
        $type = (string) ($request['type'] ?? '');
        $part = Catalogue::part($connection->backend(), $type);
        if (empty($part['addByHand'])) {
            throw new Exception(__('Les équipements de ce type ne s\'ajoutent pas à la main.', __FILE__));
        }
        $same = array_filter($connection->equipment(), fn(jeenergie $each): bool => $each->type() === $type);
        if (isset($part['count']) && count($same) >= $part['count']) {
            throw new Exception(sprintf(
                __('« %s » a déjà tous les équipements possibles de ce type (%d).', __FILE__),
                $connection->getName(),
                $part['count']
            ));
        }
        $equipment = Discovery::create(
            $connection,
            $type,
            (string) ($request['key'] ?? ''),
            (string) ($request['name'] ?? ''),
            jeenergie::dictionary($request['config'] ?? null)
        );
        return ['id' => (string) $equipment->getId()];
    }

    public static function test(array $request): array
    {
        self::needDaemon();
        return Discovery::test(self::formOrSaved($request['connection'] ?? ''));
    }

    public static function discover(array $request): array
    {
        self::needDaemon();
        $connection = self::formOrSaved($request['connection'] ?? '');
        $found = Discovery::discover($connection);
        $seen = array_filter(array_column($found, 'known'));
        $gone = array_filter(
            $connection->equipment(),
            fn(jeenergie $each): bool => !in_array((string) $each->getId(), $seen, true)
        );
        return ['equipment' => $found, 'gone' => array_map([self::class, 'summary'], array_values($gone))];
    }

    public static function nearby(): array
    {
        self::needDaemon();
        return ['found' => Nearby::search()];
    }

    public static function moveInList(): array
    {
        return ['former' => Background::list()];
    }

    public static function moveInPlan(array $request): array
    {
        return Background::plan((string) ($request['plugin'] ?? ''));
    }

    public static function moveIn(array $request): array
    {
        Background::move((string) ($request['plugin'] ?? ''));
        return [];
    }

    public static function moveInUndo(array $request): array
    {
        Background::undo((string) ($request['plugin'] ?? ''));
        return [];
    }

    public static function createDiscovered(array $request): array
    {
        $connection = self::connection($request['connection'] ?? '');
        $created = Discovery::createAll($connection, jeenergie::dictionary($request['equipment'] ?? null));
        return ['created' => array_map(fn(jeenergie $each): string => (string) $each->getId(), $created)];
    }

    public static function synchronise(array $request): array
    {
        $connection = self::connection($request['connection'] ?? '');
        $unwanted = array_map('strval', jeenergie::dictionary($request['remove'] ?? null));
        $created = self::createDiscovered($request)['created'];
        $updated = Discovery::updateAll($connection, jeenergie::dictionary($request['equipment'] ?? null));
        $removed = Discovery::removeAll($connection, $unwanted);
        return ['created' => $created, 'updated' => $updated, 'removed' => $removed];
    }

    public static function runOperation(array $request): array
    {
        self::needDaemon();
        $connection = self::formOrSaved($request['connection'] ?? '');
        $run = fn(): string => Discovery::run(
            $connection,
            (string) ($request['operation'] ?? ''),
            jeenergie::dictionary($request['options'] ?? null)
        );
        return ['text' => Progress::during((string) $connection->getId(), $run)];
    }

    public static function createMissingCommands(array $request): array
    {
        $logicalIds = $request['logicalIds'] ?? null;
        $created = Commands::createMissing(
            self::eqLogic($request['id'] ?? ''),
            is_array($logicalIds) ? $logicalIds : null
        );
        return ['created' => $created];
    }

    public static function resetCommands(array $request): array
    {
        Commands::reset(self::eqLogic($request['id'] ?? ''));
        return [];
    }

    public static function moveEquipment(array $request): array
    {
        $equipment = self::eqLogic($request['id'] ?? '');
        $equipment->setConfiguration('connection', (string) self::connection($request['connection'] ?? '')->getId());
        $equipment->save();
        return [];
    }

    /** The texts behind an event; see News. */
    public static function words(array $request): array
    {
        return News::latest((string) ($request['event'] ?? ''), (string) ($request['connection'] ?? ''));
    }

    /** One page of the documentation: {html}. */
    public static function document(array $request): array
    {
        return ['html' => Documentation::page(translate::getLanguage(), (string) ($request['page'] ?? ''))];
    }

    public static function daemon(): array
    {
        $status = Health::daemon();
        return ['oldest' => (object) Health::oldestOfAll($status)] + $status;
    }

    public static function diagnostics(): array
    {
        return Diagnostics::file();
    }

    public static function startDaemon(): array
    {
        Daemon::startForUser();
        return [];
    }

    public static function firstSteps(array $request): array
    {
        FirstSteps::wish((string) ($request['wish'] ?? ''));
        return [];
    }

    public static function place(array $request): array
    {
        $connection = self::connection($request['connection'] ?? '');
        FirstSteps::place($connection, (string) ($request['object'] ?? ''), (string) ($request['name'] ?? ''));
        return [];
    }

    private static function summary(jeenergie $eqLogic): array
    {
        // An eqLogic of a system that this version does not know must not prevent the list.
        $catalogue = in_array($eqLogic->backend(), Catalogue::backends(), true)
            ? Catalogue::translated($eqLogic->backend())
            : ['name' => $eqLogic->backend(), 'connection' => [], 'equipment' => []];
        $part = $eqLogic->isConnection()
            ? $catalogue['connection']
            : $catalogue['equipment'][$eqLogic->type()] ?? [];
        return ShownKey::of($eqLogic) + [
            'id' => (string) $eqLogic->getId(),
            'kind' => $eqLogic->isConnection() ? 'connection' : 'equipment',
            'backend' => $eqLogic->backend(),
            'backendName' => $catalogue['name'],
            'type' => $eqLogic->type(),
            'typeName' => $part['name'] ?? $part['label'] ?? '',
            'icon' => $eqLogic->icon(),
            'typeIcon' => $part['icon'] ?? '',
            'name' => $eqLogic->getName(),
            'object' => (string) $eqLogic->getObject_id(),
            'humanName' => $eqLogic->getHumanName(),
            'isEnable' => $eqLogic->getIsEnable() == 1,
            'isVisible' => $eqLogic->getIsVisible() == 1,
            'image' => $eqLogic->getImage(),
            'state' => (object) State::shown($eqLogic),
            'progress' => (object) ($eqLogic->isConnection() ? Progress::underWay($eqLogic) : []),
            'lastCommunication' => $eqLogic->getStatus('lastCommunication'),
            'live' => (object) ($eqLogic->isConnection() ? [] : LiveValue::of($eqLogic)),
        ];
    }

    private static function withoutSecrets(jeenergie $eqLogic): object
    {
        $secrets = Settings::secretKeys($eqLogic->fields());
        return (object) array_diff_key($eqLogic->config(), array_flip($secrets));
    }

    private static function eqLogic($id): jeenergie
    {
        $eqLogic = jeenergie::byId($id);
        if (!$eqLogic instanceof jeenergie) {
            throw new Exception(__('Cet équipement n\'existe plus : rechargez la page.', __FILE__));
        }
        return $eqLogic;
    }

    private static function connection($id): jeenergie
    {
        $connection = self::eqLogic($id);
        if (!$connection->isConnection()) {
            throw new Exception(__('Choisissez la connexion de cet équipement.', __FILE__));
        }
        return $connection;
    }

    /** @param array|string $connection the fields of a form, saved or not, or an id */
    private static function formOrSaved($connection): jeenergie
    {
        return is_array($connection) ? Discovery::fromForm($connection) : self::connection($connection);
    }

    private static function refuseEmptyName(jeenergie $eqLogic): void
    {
        if ($eqLogic->getName() === '') {
            throw new Exception(__('Donnez un nom.', __FILE__));
        }
    }

    /**
     * Starts the daemon if it is stopped and automatic start is on.
     *
     * @throws Refusal if it cannot be started
     */
    private static function needDaemon(): void
    {
        if (!Daemon::isRunning()) {
            plugin::byId('jeenergie')->deamon_start(false, true);
        }
        $readiness = Health::readiness();
        if (in_array($readiness['state'], ['dependencies', 'installing', 'blocked'], true)) {
            throw new Refusal($readiness['text'], 'daemon');
        }
    }
}
