<?php

/** The core calls these by their names, and keeps some of them in its database: they outlive every reorganization. */
final class CoreHooksTest extends JeenergieTestCase
{
    private const CALLED = [
        'event', 'deamon_info', 'deamon_start', 'deamon_stop', 'dependancy_info', 'dependancy_install', 'cron', 'health',
        'backup', 'backupExclude', 'getConfigForCommunity', 'preConfig_socketport', 'preConfig_cycle',
        'postConfig_socketport', 'postConfig_cycle', 'postConfig_api', 'postConfig_extendedDebug', 'postConfig_unsecureLog',
        'onReading',
    ];

    /** Stored by the core in its table of tasks; one of a former version may still wait when the next is installed. */
    private const SCHEDULED = ['welcome', 'runMoveIn', 'runTrigger', 'startAfterUpdate', 'carryReadings'];

    public function testTheCoreFindsItsHooksOnThePluginsClass(): void
    {
        foreach (array_merge(self::CALLED, self::SCHEDULED) as $name) {
            $this->assertTrue(method_exists('jeenergie', $name), $name); // as the core asks
            $method = new ReflectionMethod('jeenergie', $name);
            $this->assertTrue($method->isStatic() && $method->isPublic(), $name);
        }
    }

    public function testWhatTheCodeSchedulesIsAmongThem(): void
    {
        $scheduled = [];
        foreach (array_merge(glob(dirname(__DIR__, 2) . '/core/src/*/*.php'), glob(dirname(__DIR__, 2) . '/plugin_info/*.php')) as $file) {
            preg_match_all('/(?:executeAsync|byClassAndFunction)\((.*?),\s*\'(\w+)\'/', file_get_contents($file), $found, PREG_SET_ORDER);
            foreach ($found as [, $class, $method]) {
                $this->assertSame("'jeenergie'", $class, $file);
                $scheduled[] = $method;
            }
        }
        $this->assertEqualsCanonicalizing(self::SCHEDULED, array_values(array_unique($scheduled)));
    }

    public function testATaskOfAFormerVersionRuns(): void
    {
        $meter = $this->equipment($this->connection());
        Memory::$logs = [];
        jeenergie::runTrigger(['equipment' => $meter->getId(), 'name' => 'onCommand', 'value' => 1, 'expires' => date('c', time() - 9)]);
        $this->assertStringContainsString('arrive trop tard', json_encode(Memory::$logs, JSON_UNESCAPED_UNICODE));
    }
}
