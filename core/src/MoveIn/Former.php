<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use config;
use DB;
use Exception;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Storage\Json;
use log;
use plugin;
use Throwable;
use utils;

/**
 * What a former plugin has in Jeedom. Read from the database: its own classes need not be loaded, nor the plugin active.
 */
final class Former
{
    /** @var string */
    private $backend;

    /** @var array "former" of the catalogue */
    private $former;

    public function __construct(string $backend)
    {
        $this->backend = $backend;
        $this->former = Catalogue::translated($backend)['former'] ?? [];
    }

    /** @return self[] those with equipment in this Jeedom, by the name of the plugin */
    public static function present(): array
    {
        $present = [];
        foreach (Catalogue::backends() as $backend) {
            if (isset(Catalogue::of($backend)['former'])) {
                $former = new self($backend);
                if ($former->equipment() !== []) {
                    $present[$former->plugin()] = $former;
                }
            }
        }
        return $present;
    }

    /** @throws Exception if no system of the plugin comes from that one */
    public static function of(string $plugin): self
    {
        foreach (Catalogue::backends() as $backend) {
            if ((Catalogue::of($backend)['former']['plugin'] ?? '') === $plugin) {
                return new self($backend);
            }
        }
        throw new Exception(__('Ce plugin ne peut pas être repris.', __FILE__));
    }

    public function backend(): string
    {
        return $this->backend;
    }

    public function plugin(): string
    {
        return $this->former['plugin'];
    }

    public function title(): string
    {
        return $this->former['title'];
    }

    public function recipe(): Recipe
    {
        return new Recipe($this->former, static fn(string $text): ?string => utils::decrypt($text));
    }

    /** @return array[] rows of the table eqLogic, the configuration decoded, by id */
    public function equipment(): array
    {
        $rows = DB::Prepare(
            'SELECT * FROM `eqLogic` WHERE `eqType_name` = :plugin ORDER BY `id`',
            ['plugin' => $this->plugin()],
            DB::FETCH_TYPE_ALL
        );
        $equipment = [];
        foreach ($rows as $row) {
            $equipment[$row['id']] = ['configuration' => self::decoded($row['configuration'])] + $row;
        }
        return $equipment;
    }

    /** @return array[] rows of the table cmd of one equipment, by id */
    public function commands($equipment): array
    {
        $rows = DB::Prepare(
            'SELECT * FROM `cmd` WHERE `eqLogic_id` = :id ORDER BY `order`, `id`',
            ['id' => (int) $equipment],
            DB::FETCH_TYPE_ALL
        );
        return array_column($rows, null, 'id');
    }

    /** An equipment as recipes read it. */
    public static function record(array $row): array
    {
        $record = ['id' => (string) $row['id'], 'logicalId' => (string) $row['logicalId']];
        // Two names for one thing: texts under the key "name" of a catalogue are translated.
        $record += ['name' => (string) $row['name'], 'called' => (string) $row['name']];
        foreach ($row['configuration'] as $key => $value) {
            $record['configuration.' . $key] = $value;
        }
        return $record;
    }

    /** @return array[] the records of which connections are made, see Recipe */
    public function connectionRecords(): array
    {
        $of = $this->former['connections']['of'];
        if ($of === 'equipment') {
            $records = array_map([self::class, 'record'], array_values($this->equipment()));
            return array_values(array_filter($records, [$this->recipe(), 'isConnection']));
        }
        if ($of === 'nothing') {
            return [[]];
        }
        $prefix = $this->former['connections']['prefix'] ?? '';
        $settings = $this->settings($prefix);
        return $of === 'plugin' ? [$settings] : array_values(array_map([self::class, 'decoded'], $settings));
    }

    /** @return array the plugin's configuration, readable */
    private function settings(string $prefix): array
    {
        $rows = DB::Prepare(
            'SELECT `key` FROM `config` WHERE `plugin` = :plugin ORDER BY `key`',
            ['plugin' => $this->plugin()],
            DB::FETCH_TYPE_ALL
        );
        $settings = [];
        foreach (array_column($rows, 'key') as $key) {
            if (strpos($key, $prefix) === 0) {
                $settings[$key] = config::byKey($key, $this->plugin(), '', true);
            }
        }
        return $settings;
    }

    public function isActive(): bool
    {
        return config::byKey('active', $this->plugin(), 0, true) == 1;
    }

    public function isDaemonAutomatic(): bool
    {
        return config::byKey('deamonAutoMode', $this->plugin(), 1, true) == 1;
    }

    /**
     * Activates or deactivates the plugin as the core does; if its files are gone there is nothing to do.
     *
     * @throws Throwable what its own functions throw; it is then as active as before
     */
    public function setActive(bool $active): void
    {
        $plugin = $this->onDisk();
        if ($plugin !== null && $this->isActive() !== $active) {
            $plugin->setIsEnable((int) $active, true);
        }
    }

    /** Stops or starts its daemon, and lets the core start it by itself or not. A failure there is its own affair. */
    public function setDaemon(bool $automatic): void
    {
        config::save('deamonAutoMode', (int) $automatic, $this->plugin());
        $plugin = $this->isActive() ? $this->onDisk() : null;
        if ($plugin === null || $plugin->getHasOwnDeamon() != 1) {
            return;
        }
        try {
            $automatic ? $plugin->deamon_start(true) : $plugin->deamon_stop();
        } catch (Throwable $error) {
            log::add('jeenergie', 'warning', $this->title() . ' : ' . $error->getMessage());
        }
    }

    /** Null if its files are gone. */
    private function onDisk(): ?plugin
    {
        try {
            return plugin::byId($this->plugin()) ?: null;
        } catch (Throwable $error) {
            return null;
        }
    }

    private static function decoded($value): array
    {
        if (is_array($value)) {
            return $value;
        }
        try {
            return Json::decode((string) $value);
        } catch (Exception $error) {
            return [];
        }
    }
}
